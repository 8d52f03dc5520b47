// What a reward rule says of one completion.

export type Outcome = 'right' | 'wrong' | 'ungradable';

/**
 * Why a rule has no score for a sample: it took more steps, memory or stack than it may, it threw, what it returned is
 * no score, or what it reads was not recorded.
 */
export type RuleErrorCode = 'loop' | 'memory' | 'stack' | 'throw' | 'value' | 'not-recorded';

/** The score of one rule for one completion; `start` and `end` are character offsets into the completion. */
export interface RuleScore {
  readonly score: number;
  /** Only of answer rules. */
  readonly outcome?: Outcome;
  /** One sentence: why this score. */
  readonly why: string;
  readonly spans: readonly { readonly start: number; readonly end: number }[];
  /** The rule could not be asked: its score is 0 and means nothing. */
  readonly error?: RuleErrorCode;
  /** Its condition does not hold here: it pays nothing. */
  readonly off?: true;
}

export interface Scored {
  /** The rule scores combined: their weighted sum, unless the config says otherwise. */
  readonly reward: number;
  readonly rules: Readonly<Record<string, RuleScore>>;
  /** Outcome of the answer rule; 'ungradable' where no rule compares answers. */
  readonly outcome: Outcome;
  /** The final answer that was read from the completion. */
  readonly answer: string | undefined;
}
