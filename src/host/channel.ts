// Between the host's main thread and its worker: what goes each way, and the flags both see.

import type { CurriculumJob, JobEvent, JobResult } from '../curriculum/job';
import type { Activity, ErrorRecord } from '../protocol/run';

/** Indices into an Int32Array over shared memory. */
export const flag = {
  /** 1: end after the current step. */
  stop: 0,
  /** Number of the latest event of the worker that is on disk. */
  written: 1,
  /** 1: the log cannot be written; no event will ever be acknowledged again. */
  refused: 2,
  /** 1: wait after the current step, until it is 0 or `stop` is 1. */
  pause: 3,
  /** Counted up by the worker at everything it begins and ends. */
  beat: 4,
} as const;

export const flagBytes = 5 * Int32Array.BYTES_PER_ELEMENT;

export interface WorkerInput {
  readonly job: Omit<CurriculumJob, 'emit' | 'activity' | 'stopRequested' | 'pauseRequested' | 'rest'>;
  readonly flags: SharedArrayBuffer;
}

export type WorkerMessage =
  | { readonly kind: 'event'; readonly number: number; readonly event: JobEvent }
  | { readonly kind: 'activity'; readonly activity: Activity }
  | { readonly kind: 'ended'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };
