// The phases of a run: what is planned of them, and how they ended.

import type { Condition } from './evaluation';
import type { View } from './example';

export type Trainer = 'sft' | 'grpo' | 'dpo' | 'scorer';

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
