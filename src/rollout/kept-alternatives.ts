// The most likely tokens at each place of a completion, in few arrays: an object for each would take as long as to draw
// the token, and longer to be sent from one thread to another.

import { type Alternative, type Drawn, greatestInto } from './sampling';

export interface KeptAlternatives {
  /** By token of the completion; those of all tokens follow each other, the most likely first. */
  readonly counts: Int32Array;
  readonly tokens: Int32Array;
  /** Natural logarithms. */
  readonly logProbs: Float64Array;
}

/** Room for the tokens of one place, used again at the next: there are some thousand in a step. */
let best = new Int32Array(0);

export class AlternativesList {
  constructor(
    private readonly counts: number[] = [],
    private readonly tokens: number[] = [],
    private readonly logProbs: number[] = [],
  ) {}

  add(alternatives: readonly Alternative[]): void {
    this.counts.push(alternatives.length);
    for (const { token, logProb } of alternatives) {
      this.tokens.push(token);
      this.logProbs.push(logProb);
    }
  }

  /**
   * The k most likely of softmax(logits / temperature), from a draw of that distribution: the exponentials are not summed
   * again. Temperature 0 stands for 1, as it does there.
   *
   * @param logits [rows, width]
   */
  addBeside(
    logits: Float32Array,
    row: number,
    width: number,
    { token: drawn, logProb }: Pick<Drawn, 'token' | 'logProb'>,
    temperature: number,
    k: number,
  ): void {
    const inverse = temperature === 0 ? 1 : 1 / temperature;
    const from = row * width;
    const own = logits[from + drawn] as number;
    if (best.length !== k) best = new Int32Array(k);
    const found = greatestInto(best, logits, from, width);
    this.counts.push(found);
    for (let i = 0; i < found; i++) {
      const token = best[i] as number;
      this.tokens.push(token);
      this.logProbs.push(((logits[from + token] as number) - own) * inverse + logProb);
    }
  }

  /** Those of the first tokens of the completion. */
  first(length: number): AlternativesList {
    const counts = this.counts.slice(0, length);
    const end = counts.reduce((sum, count) => sum + count, 0);
    return new AlternativesList(counts, this.tokens.slice(0, end), this.logProbs.slice(0, end));
  }

  get kept(): KeptAlternatives {
    return {
      counts: Int32Array.from(this.counts),
      tokens: Int32Array.from(this.tokens),
      logProbs: Float64Array.from(this.logProbs),
    };
  }
}

/** A list for each token of the completion. */
export function byToken({ counts, ...all }: KeptAlternatives, of: 'tokens' | 'logProbs'): number[][] {
  const values = all[of];
  const lists: number[][] = [];
  let at = 0;
  for (const count of counts) {
    const list: number[] = [];
    for (const end = at + count; at < end; at++) list.push(values[at] as number);
    lists.push(list);
  }
  return lists;
}
