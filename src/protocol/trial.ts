// Rules tried as they are typed: on the stored rollouts of a run, and on the test cases beside them.

import type { Place } from './errors';
import { ProgramRequest } from './program-request';
import type { RolloutRef } from './query';
import type { Outcome, RuleScore } from './rewards';

/** The text of a curriculum, or of a file of rewards, as it stands in the editor. */
export interface RulesText {
  readonly kind: 'curriculum' | 'rewards';
  readonly text: string;
  /** Where relative paths begin. */
  readonly file: string;
}

export interface TryParams extends RulesText {
  /** Rollouts of a run of ours, or of TRL; without one it is only seen whether the rules can be asked. */
  readonly folder?: string;
  /** So many rollouts are enough; default: all. */
  readonly most?: number;
  /** The rollout at hand: it is answered first. */
  readonly at?: RolloutRef;
}

/** One rollout under the rules as typed. */
export interface TriedRollout {
  readonly ref: RolloutRef;
  readonly reward: { readonly before: number | null; readonly after: number };
  readonly outcome: Outcome;
  readonly rules: Readonly<Record<string, RuleScore>>;
  /** As typed, at its step. */
  readonly weights: Readonly<Record<string, number>>;
  readonly advantage: { readonly before: number | null; readonly after: number | null };
}

export interface TriedRule {
  readonly rule: string;
  readonly weight: number;
  readonly mean: number;
  /** Share of rollouts that it pays something for. */
  readonly fires: number;
  /** Mean change against what was stored; null where nothing was. */
  readonly change: number | null;
  readonly errors: Readonly<Record<string, number>>;
  /** What its expression or script does not master. */
  readonly failure?: RuleFailure;
}

/** A rule that broke: why, at the first of the rollouts, and at how many. */
export interface RuleFailure {
  readonly why: string;
  readonly ref: RolloutRef;
  readonly rollouts: number;
}

/** Why rules cannot be asked as they stand. */
export interface RulesProblem {
  readonly message: string;
  readonly remedy?: string;
  readonly place: Place;
  /** An expression or a script; not what any reader of the file sees. */
  readonly inCode: boolean;
}

/** Many rollouts under the rules as typed. */
export interface TriedRun {
  /** Not of all rollouts. */
  readonly partial: boolean;
  readonly rollouts: number;
  readonly reward: { readonly before: number | null; readonly after: number };
  readonly rules: readonly TriedRule[];
  readonly groups: number;
  readonly groupsWithoutSpread: { readonly before: number | null; readonly after: number };
  readonly groupsReordered: number;
  /** Those among them that change most, with the rewards of their samples; null: not recorded. */
  readonly mostReordered: readonly {
    readonly ref: RolloutRef;
    readonly before: readonly (number | null)[];
    readonly after: readonly (number | null)[];
  }[];
  readonly advantagesFlipped: number;
  readonly mostChanged: readonly {
    readonly ref: RolloutRef;
    readonly before: number;
    readonly after: number;
    readonly completion: string;
  }[];
  readonly hints: readonly { readonly title: string; readonly sentence: string; readonly rule: string | null }[];
}

export type Tried =
  | { readonly of: 'rollout'; readonly rollout: TriedRollout }
  | { readonly of: 'run'; readonly run: TriedRun }
  /** The rules cannot be asked as they stand. */
  | { readonly of: 'wrong'; readonly problems: readonly RulesProblem[] }
  /** They can be asked, and no run was named. */
  | { readonly of: 'sound' };

export interface TriedTest {
  readonly rule: string;
  /** Within the tests of the rule, from 0. */
  readonly index: number;
  readonly completion: string;
  readonly got: RuleScore;
  /** What is not as it must be; none: it passes. */
  readonly faults: readonly string[];
}

export interface TestsResult {
  readonly tests: readonly TriedTest[];
  /** Why they could not be run. */
  readonly problems: readonly string[];
}

/** A whole run is paid anew: by a version of its rules, or by a config as it stands. */
export interface RecomputeParams {
  readonly folder: string;
  readonly under:
    | {
        readonly of: 'version';
        readonly version: number;
        /** The run whose version it is; default: `folder`. */
        readonly rulesOf?: string;
      }
    | ({ readonly of: 'text' } & RulesText);
}

export interface RecomputeProgress {
  readonly rollouts: number;
  readonly files: number;
  readonly ofFiles: number;
}

/** Figures of every step under the same rules, by the names of the metrics that a step has. */
export interface RecomputedCurves {
  readonly rollouts: number;
  /** Rules that broke, or could not be asked, with the number of rollouts that they say nothing of. */
  readonly failed: readonly { readonly rule: string; readonly rollouts: number }[];
  readonly steps: readonly number[];
  readonly metrics: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Answered with the last of what is told; a newer trial of the folder ends an older one. */
export const tryRequest = new ProgramRequest<TryParams, Tried, Tried>('triphase/try');
export const testRulesRequest = new ProgramRequest<RulesText, TestsResult>('triphase/testRules');
/** Waits for a trial that is under way, and goes on after one that comes between. */
export const recomputeRequest = new ProgramRequest<RecomputeParams, RecomputedCurves, RecomputeProgress>(
  'triphase/recompute',
);
