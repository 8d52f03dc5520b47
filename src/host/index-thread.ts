// Indexes a run's rollouts while it goes on, in a thread of its own that is started now and then: the host's main thread
// always answers, and the loop does not wait.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RunEvent } from '../protocol/run';
import { mostFiles } from '../run/compaction';
import type { IndexThreadData } from '../run/index-program';

export class IndexThread {
  private readonly program: string;
  private waiting = 0;
  private running = false;

  /** @param programs the folder of dist; where there is no such program, as in a test, whoever opens the run indexes it */
  constructor(
    private readonly folder: string,
    programs: string,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.program = path.join(programs, 'index.js');
  }

  take(event: RunEvent): void {
    if (event.kind !== 'step' || event.rollouts === undefined) return;
    this.waiting += 1;
    if (this.waiting < mostFiles || this.running || !existsSync(this.program)) return;
    this.waiting = 0;
    this.running = true;
    const workerData: IndexThreadData = { folder: this.folder };
    const worker = new Worker(this.program, { workerData, name: 'triphase-index' });
    // a run that ends does not wait: what is half done is done again by whoever opens it
    worker.unref();
    worker.on('error', error => this.onFailure(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => {
      this.running = false;
    });
  }
}
