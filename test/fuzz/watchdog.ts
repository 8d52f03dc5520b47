// An input that is never done with holds up the thread that would tell of it: another looks on, and ends the process.

import { Worker } from 'node:worker_threads';

/** Far beyond what any input may take, on a machine that is busy with other things. */
const patienceMs = 120_000;

const program = `
const { workerData: { flags, names, patienceMs } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
for (;;) {
  const [number, i, count] = [0, 1, 2].map(at => Atomics.load(flags, at));
  if (Atomics.wait(flags, 2, count, patienceMs) !== 'timed-out' || count === 0) continue;
  writeSync(1, \`FOUND: \${names[number]} \${i} does not come back\\n\`);
  process.kill(process.pid, 'SIGKILL');
}`;

export class Watchdog {
  /** Border, input, and how many were begun. */
  private readonly flags = new Int32Array(new SharedArrayBuffer(12));

  constructor(names: readonly string[]) {
    new Worker(program, { eval: true, workerData: { flags: this.flags, names, patienceMs } }).unref();
  }

  begins(number: number, i: number): void {
    Atomics.store(this.flags, 0, number);
    Atomics.store(this.flags, 1, i);
    Atomics.add(this.flags, 2, 1);
    Atomics.notify(this.flags, 2);
  }
}
