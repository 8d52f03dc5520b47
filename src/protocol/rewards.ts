// What a reward rule says of one completion.

export type Outcome = 'right' | 'wrong' | 'ungradable';

/** The score of one rule for one completion; `start` and `end` are character offsets into the completion. */
export interface RuleScore {
  readonly score: number;
  /** Only of answer rules. */
  readonly outcome?: Outcome;
  /** One sentence: why this score. */
  readonly why: string;
  readonly spans: readonly { readonly start: number; readonly end: number }[];
}

export interface Scored {
  /** Weighted sum of the rule scores. */
  readonly reward: number;
  readonly rules: Readonly<Record<string, RuleScore>>;
  /** Outcome of the answer rule; 'ungradable' where no rule compares answers. */
  readonly outcome: Outcome;
  /** The final answer that was read from the completion. */
  readonly answer: string | undefined;
}
