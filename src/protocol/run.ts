// A run as data: the events of its log, the records of its folder. `events.jsonl` holds one RunEvent a line.

import type { ErrorCode, Place } from './errors';
import type { View } from './example';
import type { Outcome } from './rewards';

/**
 * What the model is shown at an evaluation; `mismatched` is the image of another example, `text` what a text phase shows:
 * the question or the scene in words.
 */
export type Condition = 'image_caption' | 'image' | 'caption' | 'question' | 'mismatched' | 'text';

export type Trainer = 'sft' | 'grpo' | 'dpo' | 'scorer';

/** A TriphaseError (or any other) as it is written down and sent between processes. */
export interface ErrorRecord {
  readonly code: ErrorCode | 'unexpected';
  readonly message: string;
  readonly remedy?: string;
  readonly place?: Place;
  /** Of unexpected errors only. */
  readonly stack?: string;
}

/** A number of rows that were left out, and why. */
export interface LeftOut {
  readonly reason: string;
  readonly count: number;
  /** Where the first of them stands. */
  readonly first?: Place;
}

/**
 * Examples of one source that ask the same of the same images as others. A source that several phases name does not
 * repeat itself.
 */
export interface DuplicateReport {
  /** That repeat an earlier example of the same source. */
  readonly within: number;
  /** That repeat an example of a source that was named before. */
  readonly across: readonly { readonly source: string; readonly count: number }[];
  /** That are also in data that is evaluated. */
  readonly evaluation: readonly { readonly source: string; readonly count: number }[];
  /** That show an image of data that is evaluated, whatever they ask of it. */
  readonly evaluationImages: number;
  /** Of all these, those that are not trained on. */
  readonly removed: { readonly within: number; readonly across: number; readonly evaluation: number };
}

export interface SourceReport {
  readonly source: string;
  /** Examples that can be used. */
  readonly examples: number;
  /** Rows that could not be read or graded. */
  readonly dropped: readonly LeftOut[];
  /** Rows that stayed, without their caption or another field; absent in logs of earlier versions. */
  readonly takenAway?: readonly LeftOut[];
  /** Examples that a phase's view cannot show, phase by phase. */
  readonly refused: readonly (LeftOut & { readonly phase: string })[];
  /** Of sources that are trained on; absent in logs of earlier versions. */
  readonly duplicates?: DuplicateReport;
}

export interface PlannedPhase {
  readonly phase: string;
  readonly trainer: Trainer;
  readonly view: View;
  /** At most so many where `end` is there; of a phase that is over, those that it took. */
  readonly steps: number;
  /** What may end the phase before its last step. */
  readonly end?: 'plateau' | 'target';
}

/** A value that an evaluation gave after a step of a phase. */
export interface WatchedFigure {
  readonly value: number;
  readonly phaseStep: number;
  /** Of the model that was evaluated, relative to the run folder; kept as long as it is the best. */
  readonly checkpoint: string;
}

/** Why a phase ended, and which model goes on from it. */
export interface PhaseEnd {
  readonly reason: 'steps' | 'plateau' | 'target';
  /** Steps that the phase took. */
  readonly phaseStep: number;
  readonly carried: {
    readonly which: 'last' | 'best';
    /** The step of the phase after which the model was so. */
    readonly phaseStep: number;
    /** Relative to the run folder. */
    readonly checkpoint: string;
  };
  /** Of the evaluations that decided, where some did. */
  readonly watched?: {
    readonly condition: Condition;
    readonly metric: 'accuracy' | 'format_rate';
    /** Absent: all that is evaluated. */
    readonly source?: string;
    readonly best: WatchedFigure;
    readonly last: WatchedFigure;
  };
}

export interface ConditionResult {
  readonly condition: Condition;
  /** Answers graded, several samples an item counted apart. */
  readonly n: number;
  readonly right: number;
  readonly ungradable: number;
  /** right / n */
  readonly accuracy: number;
  /** 95% interval of the accuracy. */
  readonly interval: readonly [number, number];
  /** Share of completions in the asked format. */
  readonly formatRate: number;
  /** Share of completions cut at the token limit. */
  readonly truncatedRate?: number;
  /** Mean length of the completions, tokens. */
  readonly lengthTokens?: number;
  /** Mean reward by the rules of the config; a rule that compares the samples of an item compares these. */
  readonly reward?: number;
  /** Mean score of each rule, where it could be asked. */
  readonly rules?: Readonly<Record<string, number>>;
  /** Accuracy of a guess among the choices; absent where the answers are open. */
  readonly chance?: number;
  /** Accuracy of always giving the most frequent gold answer. */
  readonly majority: number;
}

/** How far the answers come without looking; figures are absent where a condition was not evaluated. */
export interface LanguageBias {
  /** Accuracy on the question alone over accuracy on the image. */
  readonly bias?: number;
  /** Accuracy on image + caption less accuracy on the image. */
  readonly captionDependence?: number;
}

export interface EvaluationFigures {
  readonly conditions: readonly ConditionResult[];
  readonly languageBias: LanguageBias;
}

/** Of all sources together, each answer counted once. */
export interface Evaluation extends EvaluationFigures {
  readonly sources: readonly string[];
  /** Of each source alone, in their order; absent where there is only one, and in logs of earlier versions. */
  readonly bySource?: readonly (EvaluationFigures & { readonly source: string })[];
  readonly seconds: number;
}

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
      /** What was estimated before the first step, bytes; absent off the CPU, and in logs of earlier versions. */
      readonly memory?: { readonly estimate: number; readonly total: number };
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
 * `no-space` and `not-writable` go on by themselves, when there is room or the folder can be written to again. They are
 * seldom in the log, which cannot be written either.
 */
export type PauseReason =
  | { readonly kind: 'asked' }
  | { readonly kind: 'no-space'; readonly folder: string; readonly neededBytes: number; readonly freeBytes: number }
  /** `code` is the system's: EROFS, EACCES. */
  | { readonly kind: 'not-writable'; readonly folder: string; readonly code: string };

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
  /** The log has no end and no host is there: killed, crashed, or the machine went down. */
  | { readonly kind: 'lost'; readonly step: number };

export const runStates = [
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'finished',
  'stopped',
  'failed',
  'lost',
] as const satisfies readonly RunState['kind'][];

/** What a run is doing between two events: "reading images", 120 of 989. */
export interface Activity {
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
}

/** The process that serves a run. */
export interface HostInfo {
  readonly pid: number;
  /** When the process began, as the operating system says; pid and start time together name one process. ISO 8601. */
  readonly startTime: string;
  /** Unix socket or Windows named pipe. */
  readonly socket: string;
  readonly version: string;
  readonly machine: string;
  /** Names the process whatever the clock is set to; absent where the system gives nothing better than the start time. */
  readonly process?: string;
}

/** `run.json` */
export interface RunInfo {
  readonly format: 1;
  /** Of the Triphase that made the folder; absent in those of earlier versions. */
  readonly version?: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** The config file that the run was started with, and what was set over it. */
  readonly config: string;
  readonly sets: readonly string[];
  readonly quick: boolean;
  readonly onlyPhase?: string;
  readonly attempt: number;
  /** The latest host; whether it still lives is asked of the operating system, not read here. */
  readonly host?: HostInfo;
  readonly state: RunState['kind'];
}

/**
 * One completion: a row of rollouts/*.parquet. Column names are TRL's where TRL has them (step, prompt, completion, one
 * column a reward rule, advantage). Null means not recorded.
 */
export interface RolloutRecord {
  readonly step: number;
  readonly prompt: string;
  readonly completion: string;
  /** Written as one column a rule, named as the rule is. */
  readonly scores: Readonly<Record<string, number | null>>;
  readonly advantage: number | null;
  readonly attempt: number;
  readonly phase: string;
  readonly phase_step: number;
  readonly source: string;
  /** The example's id within its source. */
  readonly example: string;
  readonly view: View;
  /** Number of the completion within its group, from 0. */
  readonly sample: number;
  /** Number of the prompt within its step, from 0. */
  readonly group: number;
  /** The scores combined. */
  readonly reward: number | null;
  /** The version of the reward rules that scored it. */
  readonly rules_version: number | null;
  readonly outcome: Outcome;
  readonly answer: string | null;
  readonly gold: string;
  /** Cut at the token limit. */
  readonly truncated: boolean;
  /** Tokens of the prompt, image tokens included. */
  readonly prompt_tokens: number;
  /** Tokens of the completion, the stop token included. */
  readonly completion_ids: readonly number[];
  /** Where each token begins in `completion`, in UTF-16 units. */
  readonly offsets: readonly number[] | null;
  /** Natural logarithms, one a token: of the generator, of the training graph (before the update), of the reference. */
  readonly logprobs: readonly number[] | null;
  readonly train_logprobs: readonly number[] | null;
  readonly ref_logprobs: readonly number[] | null;
  /** Of the generator's distribution, nats. */
  readonly entropy: readonly number[] | null;
  /** By token the most likely ones at its place, the likeliest first, under the distribution of `logprobs`. */
  readonly alternative_ids: readonly (readonly number[])[] | null;
  readonly alternative_logprobs: readonly (readonly number[])[] | null;
  /** Absolute paths. */
  readonly images: readonly string[];
}

/** Columns that a reward rule cannot be named after. */
export const rolloutColumns = [
  'step',
  'prompt',
  'completion',
  'advantage',
  'attempt',
  'phase',
  'phase_step',
  'source',
  'example',
  'view',
  'sample',
  'group',
  'reward',
  'rules_version',
  'outcome',
  'answer',
  'gold',
  'truncated',
  'prompt_tokens',
  'completion_ids',
  'offsets',
  'logprobs',
  'train_logprobs',
  'ref_logprobs',
  'entropy',
  'alternative_ids',
  'alternative_logprobs',
  'images',
] as const satisfies readonly Exclude<keyof RolloutRecord, 'scores'>[];
