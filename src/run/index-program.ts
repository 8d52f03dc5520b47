// The program of a thread that indexes a run while it goes on: dist/index.js. It does what is due, and ends.

import { workerData } from 'node:worker_threads';
import { compactRun } from './compaction';

/** What the thread is started with. */
export interface IndexThreadData {
  readonly folder: string;
}

const { folder } = workerData as IndexThreadData;
void compactRun(folder, { all: false, holder: true });
