// Between the host's main thread and its worker: what goes each way, and the flags both see.

import type { MessagePort } from 'node:worker_threads';
import type { NumberedRules } from '../config/run-rules';
import type { CurriculumJob, JobEvent, JobResult } from '../curriculum/job';
import type { ErrorRecord } from '../protocol/error-record';
import type { Activity } from '../protocol/run-state';
import type { DiskWait } from '../run/write-failures';

/** Indices into an Int32Array over shared memory. */
export const flag = {
  /** 1: end after the current step. */
  stop: 0,
  /** Number of the latest event of the worker that is on disk, or step that it was answered about. */
  written: 1,
  /** 1: the log cannot be written; no event will ever be acknowledged again. */
  refused: 2,
  /** 1: wait after the current step, until it is 0 or `stop` is 1. */
  pause: 3,
  /** Counted up by the worker at everything it begins and ends. */
  beat: 4,
  /** 1: a worker that waits for its disk is to try again. */
  retry: 5,
} as const;

export const flagBytes = 6 * Int32Array.BYTES_PER_ELEMENT;

export interface WorkerInput {
  readonly job: Omit<CurriculumJob, 'emit' | 'activity' | 'stopRequested' | 'pause' | 'whenWritable' | 'rules'>;
  readonly flags: SharedArrayBuffer;
  /** Others come through the port, in answer to a step that begins. */
  readonly rules: { readonly atStart: NumberedRules; readonly port: MessagePort };
}

export type WorkerMessage =
  | { readonly kind: 'event'; readonly number: number; readonly event: JobEvent }
  /** The worker waits as for an event; rules that take effect are in the port by then. */
  | { readonly kind: 'step-begins'; readonly number: number; readonly step: number }
  | { readonly kind: 'activity'; readonly activity: Activity }
  /** The disk does not take what is written, and the worker waits; without a reason: it goes on. */
  | { readonly kind: 'waits'; readonly why?: DiskWait }
  | { readonly kind: 'ended'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly error: ErrorRecord };
