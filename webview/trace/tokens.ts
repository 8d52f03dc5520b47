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

/** Pieces in the order of the text; none where offsets were not recorded. Tokens after the text (the stop token) make a last, empty one. */
export function tokenPieces(
  { ids, offsets }: Pick<StoredFigures, 'ids' | 'offsets'>,
  length: number,
): readonly TokenPiece[] {
  if (offsets === null) return [];
  const pieces: TokenPiece[] = [];
  for (let first = 0; first < ids.length; ) {
    const start = Math.min(offsets[first] ?? length, length);
    let last = first;
    while (last + 1 < ids.length && (offsets[last + 1] ?? length) <= start && start < length) last++;
    const end = last + 1 < ids.length ? Math.min(offsets[last + 1] ?? length, length) : length;
    pieces.push({ first, last, start, end: Math.max(start, end) });
    first = last + 1;
  }
  return pieces;
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
