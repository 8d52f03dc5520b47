// A rollout as it is written down.

import type { View } from './example';
import type { Outcome } from './rewards';

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
