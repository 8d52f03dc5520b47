// How a run stands.

import type { ErrorRecord } from './error-record';

/**
 * `no-space` and `not-writable` go on by themselves, when there is room or the folder can be written to again. They are
 * seldom in the log, which cannot be written either.
 */
export type PauseReason =
  | { readonly kind: 'asked' }
  | { readonly kind: 'no-space'; readonly folder: string; readonly neededBytes: number; readonly freeBytes: number }
  /** `code` is the system's: EROFS, EACCES. */
  | { readonly kind: 'not-writable'; readonly folder: string; readonly code: string };

/** How far a run is. */
export interface Progress {
  readonly phase: string;
  readonly phaseStep: number;
  readonly phaseSteps: number;
  readonly step: number;
  readonly steps: number;
  /** Phases that are still to end may end before their last step. */
  readonly atMost?: true;
  /** Mean over the latest steps; absent before the first. */
  readonly secondsPerStep?: number;
}

/** What can be done in each is in run-actions.ts. */
export type RunState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly progress?: Progress }
  /** Asked to pause; the step that is under way goes to its end. */
  | { readonly kind: 'pausing'; readonly progress?: Progress }
  | { readonly kind: 'paused'; readonly progress?: Progress; readonly why: PauseReason }
  /** Asked to stop; the step that is under way goes to its end. */
  | { readonly kind: 'stopping'; readonly progress?: Progress }
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopped'; readonly killed: boolean; readonly step: number }
  | { readonly kind: 'failed'; readonly error: ErrorRecord; readonly step: number }
  /** Its host is on another machine, and was not watched for long enough to say whether it is still there. */
  | { readonly kind: 'unseen'; readonly machine: string; readonly step: number }
  /** The log has no end and no host is there: killed, crashed, or the machine went down. `why` where it has left a word. */
  | { readonly kind: 'lost'; readonly step: number; readonly why?: string };

export const runStates = [
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'finished',
  'stopped',
  'failed',
  'unseen',
  'lost',
] as const satisfies readonly RunState['kind'][];

/** What a run is doing between two events: "reading images", 120 of 989. */
export interface Activity {
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
}
