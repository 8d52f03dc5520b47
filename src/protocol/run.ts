// What happens in a run: `events.jsonl` holds one RunEvent a line.

import type { ErrorRecord } from './error-record';
import type { Place } from './errors';
import type { Evaluation } from './evaluation';
import type { View } from './example';
import type { PhaseEnd, PlannedPhase, Trainer } from './phase';
import type { PauseReason } from './run-state';
import type { SourceReport } from './source-report';

/**
 * What happened. `step` is always the number of optimiser steps done in the whole run, so the first step of a run is
 * step 1; `phaseStep` counts the same within the phase.
 */
export type RunEventBody =
  | {
      readonly kind: 'run-started';
      readonly name: string;
      readonly version: string;
      readonly machine: string;
      readonly quick: boolean;
      readonly onlyPhase?: string;
      /** The checkpoint that this attempt goes on from, relative to the run folder. */
      readonly resumedFrom?: { readonly checkpoint: string; readonly step: number };
      /** Earlier events numbered above this are replayed by this attempt, and count no longer. */
      readonly supersedesAfter: number;
    }
  | { readonly kind: 'plan'; readonly phases: readonly PlannedPhase[]; readonly steps: number }
  | { readonly kind: 'data'; readonly sources: readonly SourceReport[] }
  | {
      readonly kind: 'device';
      readonly asked: string;
      readonly used: string;
      /** The device in words: processor or adapter name. */
      readonly description?: string;
      readonly threads: number;
      /** Copies of the model that compute side by side; absent in logs of earlier versions. */
      readonly replicas?: number;
      /** Layers run one by one; absent in logs of earlier versions, which had no such runs. */
      readonly layerwise?: boolean;
      /** Prompts in one run of the gradient, by phase; absent in logs of earlier versions. */
      readonly microBatches?: Readonly<Record<string, number>>;
      /** false: the device has no float16, and what has no blocks is float32; else absent. */
      readonly halves?: false;
      /** What was estimated before the first step, of what the device has as far as anybody tells, bytes. Absent in old logs. */
      readonly memory?: { readonly estimate: number; readonly total?: number };
      readonly refused: readonly { readonly device: string; readonly why: string }[];
    }
  | {
      readonly kind: 'phase-started';
      readonly phase: string;
      readonly index: number;
      readonly trainer: Trainer;
      readonly view: View;
      readonly steps: number;
      readonly examples: number;
      /** Steps done in the phase already, when a resume comes into its middle. */
      readonly phaseStep: number;
      readonly step: number;
    }
  | {
      readonly kind: 'step';
      readonly phase: string;
      readonly phaseStep: number;
      readonly step: number;
      /** TRL's names where TRL has the figure: loss, reward, reward_std, kl, entropy, grad_norm, rewards/<rule>/mean … */
      readonly metrics: Readonly<Record<string, number>>;
      /** Seconds by part of the step; `total` is the whole. */
      readonly timings: Readonly<Record<string, number>>;
      /** The step's rollouts, relative to the run folder. */
      readonly rollouts?: string;
      /** Of a step in which no group taught: how many did not, and why. */
      readonly untaught?: string;
      /** The version of the reward rules that scored it; absent where nothing was scored, and in logs of earlier versions. */
      readonly rulesVersion?: number;
    }
  | (Evaluation & {
      readonly kind: 'evaluation';
      readonly rulesVersion?: number;
      /** 'base', or the phase that was under way or had just ended. */
      readonly at: string;
      readonly step: number;
      /** Before the first phase or at the end of one, not in the middle of it. */
      readonly boundary: boolean;
    })
  | RulesVersion
  | {
      readonly kind: 'checkpoint';
      readonly phase: string;
      readonly phaseStep: number;
      readonly step: number;
      /** Relative to the run folder. */
      readonly folder: string;
      readonly removed: readonly string[];
      readonly seconds: number;
    }
  | ({ readonly kind: 'micro-batch' } & MicroBatch)
  /** This attempt began because the one before lost its device. */
  | {
      readonly kind: 'device-lost';
      readonly device: string;
      /** Steps that were done when it was lost. */
      readonly step: number;
      readonly why: string;
      /** Where the run goes on. */
      readonly next: string;
    }
  | {
      readonly kind: 'warning';
      readonly message: string;
      readonly remedy?: string;
      readonly place?: Place;
    }
  | {
      readonly kind: 'phase-ended';
      readonly phase: string;
      readonly index: number;
      readonly step: number;
      readonly seconds: number;
      /** Absent in logs of earlier versions, whose phases ended by their steps. */
      readonly end?: PhaseEnd;
    }
  /** Between two steps, with everything saved: the host waits, with the model in memory. */
  | { readonly kind: 'paused'; readonly step: number; readonly why: PauseReason }
  /** On from a pause, as the same attempt. */
  | { readonly kind: 'resumed'; readonly step: number; readonly seconds: number }
  | ({ readonly kind: 'run-ended'; readonly step: number } & RunOutcome);

/** Memory was short: from this step on, fewer prompts run together, which may round otherwise and changes nothing else. */
export interface MicroBatch {
  readonly part: 'update' | 'generation' | 'evaluation';
  readonly step: number;
  /** So many run together at most. */
  readonly prompts: number;
  readonly before: number;
  readonly why: string;
}

/**
 * A version of the reward rules is accepted. A step is scored by the last of these events in the log whose `fromStep` it
 * has reached.
 */
export interface RulesVersion {
  readonly kind: 'rules';
  /** From 1, one more for each that is accepted. */
  readonly version: number;
  /** Of everything that rewards depend on: equal hashes pay equally. */
  readonly hash: string;
  readonly fromStep: number;
  /** Where the rules stand, relative to the run folder. */
  readonly file: string;
  /** A line for each rule that differs from the version before; none for the first. */
  readonly changes: readonly string[];
}

export type RunOutcome =
  | { readonly outcome: 'finished' }
  /** `killed`: in the middle of a step; otherwise after one, with a checkpoint. */
  | { readonly outcome: 'stopped'; readonly killed: boolean }
  | { readonly outcome: 'failed'; readonly error: ErrorRecord };

/** An event as it stands in the log. */
export type RunEvent = RunEventBody & {
  /** Counts from 1 and never repeats, over all attempts of a run. */
  readonly n: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** 1 for the first host of a run, one more for each resume. */
  readonly attempt: number;
};

export type RunEventKind = RunEvent['kind'];
export type EventOf<K extends RunEventKind> = Extract<RunEvent, { readonly kind: K }>;
