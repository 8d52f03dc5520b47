// The tokens of a completion as ranges of its text. A character may be spread over several tokens (an emoji, a word of
// another script): such tokens share one range, and are shown as one with several numbers.

import type { TokenFigures as StoredFigures } from '../../src/protocol/query';
import type { Span } from './steps';

/** One or several tokens that make one piece of text. */
export interface TokenPiece extends Span {
  /** First and last token of it. */
  readonly first: number;
  readonly last: number;
}

export interface TokenFigures {
  readonly id: number;
  /** Natural logarithms; null where not recorded. */
  readonly logprob: number | null;
  readonly probability: number | null;
  readonly trainLogprob: number | null;
  /** log p − log p of the reference. */
  readonly logRatio: number | null;
  readonly entropy: number | null;
}

/**
 * Pieces in the order of the text; none where offsets were not recorded. Tokens after the text (the stop token) make a
 * last, empty one. Of tens of thousands hardly any is looked at, so they are columns, and objects when they are.
 */
export class TokenPieces {
  readonly length: number;
  private readonly firsts: Int32Array;
  private readonly offsets: ArrayLike<number>;

  constructor(
    { offsets }: Pick<StoredFigures, 'offsets'>,
    private readonly textLength: number,
  ) {
    this.offsets = offsets ?? [];
    const tokens = this.offsets.length;
    const firsts = new Int32Array(tokens);
    let pieces = 0;
    for (let first = 0; first < tokens; ) {
      const start = this.startOf(first);
      let beyond = first + 1;
      while (beyond < tokens && start < textLength && this.startOf(beyond) <= start) beyond++;
      firsts[pieces++] = first;
      first = beyond;
    }
    this.firsts = firsts.subarray(0, pieces);
    this.length = pieces;
  }

  at(piece: number): TokenPiece | undefined {
    const first = this.firsts[piece];
    if (first === undefined) return undefined;
    const next = this.firsts[piece + 1];
    const start = this.startOf(first);
    const end = next === undefined ? this.textLength : this.startOf(next);
    return { first, last: (next ?? this.offsets.length) - 1, start, end: Math.max(start, end) };
  }

  /** Of the piece, or the end of the text behind the last. */
  startAt(piece: number): number {
    const first = this.firsts[piece];
    return first === undefined ? this.textLength : this.startOf(first);
  }

  /** The piece that a token is in. */
  of(token: number): number | undefined {
    if (token < 0 || token >= this.offsets.length) return undefined;
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.firsts[middle] as number) <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first that begins at an offset of the text or behind it. */
  firstFrom(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.startAt(middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private startOf(token: number): number {
    return Math.min(this.offsets[token] ?? this.textLength, this.textLength);
  }
}

export function figuresOf(tokens: StoredFigures, index: number): TokenFigures {
  const logprob = tokens.logprobs?.[index] ?? null;
  const policy = tokens.trainLogprobs?.[index] ?? logprob;
  const reference = tokens.refLogprobs?.[index] ?? null;
  return {
    id: tokens.ids[index] as number,
    logprob,
    probability: logprob === null ? null : Math.exp(logprob),
    trainLogprob: tokens.trainLogprobs?.[index] ?? null,
    logRatio: policy === null || reference === null ? null : policy - reference,
    entropy: tokens.entropy?.[index] ?? null,
  };
}

export type Heat = 'none' | 'probability' | 'entropy' | 'log-ratio';

/** How strongly a token is marked, 0 to 1, with its sign for the log-ratio; null where it was not recorded. */
export function heatOf(figures: TokenFigures, heat: Heat): number | null {
  switch (heat) {
    case 'none':
      return null;
    case 'probability':
      return figures.probability === null ? null : 1 - figures.probability;
    case 'entropy':
      // ln 10: as unsure as between ten tokens
      return figures.entropy === null ? null : Math.min(1, figures.entropy / Math.LN10);
    case 'log-ratio':
      return figures.logRatio === null ? null : Math.max(-1, Math.min(1, figures.logRatio / 2));
  }
}

/** The next token from `from` on whose chosen alternative was no clear choice: probability below a half. */
export function nextUncertain(tokens: StoredFigures, from: number): number | undefined {
  const { logprobs } = tokens;
  if (logprobs === null) return undefined;
  const doubtful = Math.log(0.5);
  for (let i = from; i < logprobs.length; i++) if ((logprobs[i] as number) < doubtful) return i;
  return undefined;
}
