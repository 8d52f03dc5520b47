// A run on a small disk of its own that is filled up under it, again and again, and given room again.

import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { connectToRun } from '../../src/client/run-connection';
import { startRun } from '../../src/client/start';
import type { RunState } from '../../src/protocol/run-state';
import { program } from './run';

const diskMegabytes = 64;

/** undefined: disks cannot be mounted here. */
export function mountSmallDisk(at: string): (() => void) | undefined {
  mkdirSync(at, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'none', at], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return () => {
    // a host that has just ended may hold a file for a moment longer
    for (let tries = 1; ; tries++) {
      try {
        execFileSync('umount', [at], { stdio: 'ignore' });
        return;
      } catch (error) {
        if (tries === 40) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
      }
    }
  };
}

export interface Filled {
  /** How often the run said that it waits for room. */
  readonly waits: number;
  /** How often it said how much it needs. */
  readonly needs: number;
  readonly state: RunState['kind'];
}

export async function runOnFullDisk(config: string, disk: string, folder: string, times: number): Promise<Filled> {
  const ballast = path.join(disk, 'ballast');
  let [waits, needs] = [0, 0];
  let end: (state: RunState) => void = () => {};
  const ended = new Promise<RunState>(resolve => {
    end = resolve;
  });
  await startRun(program, { configFile: config, folder });
  const connection = await connectToRun(
    folder,
    { name: 'bench', control: true },
    {
      event: event => {
        // what it writes next finds no room, unless it was faster: then after the next step
        if (event.kind === 'step' && waits < times && !existsSync(ballast)) fill(ballast);
      },
      state: state => {
        if (state.kind === 'paused' && state.why.kind === 'no-space') {
          waits += 1;
          if (state.why.neededBytes > 0) needs += 1;
          rmSync(ballast, { force: true });
        }
        if (state.kind === 'finished' || state.kind === 'failed' || state.kind === 'lost') end(state);
      },
    },
  );
  const { kind } = await ended;
  connection.close();
  return { waits, needs, state: kind };
}

/** To the last byte. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (const size of [2 ** 20, 4096, 1]) {
      const bytes = Buffer.alloc(size);
      try {
        for (;;) if (writeSync(handle, bytes) < size) break;
      } catch {
        // full, but for less than this
      }
    }
  } finally {
    closeSync(handle);
  }
}
