// Where each token begins in the text that all of them decode to.

import type { Tokenizer } from './tokenizer';

/** Texts of single tokens, which are most pieces: decoding one takes a microsecond and a half. */
const alone = new WeakMap<Tokenizer, Map<number, string>>();

/**
 * UTF-16 offsets into `decode(ids, { skipSpecial: true })`, one a token. A token that ends within a character begins
 * where that character does; the text is decoded in pieces of whole characters, so that the work grows with its length
 * and not with its square.
 */
export function tokenOffsets(tokenizer: Tokenizer, ids: readonly number[]): number[] {
  const known = alone.get(tokenizer) ?? new Map<number, string>();
  alone.set(tokenizer, known);
  const offsets: number[] = [];
  let before = 0;
  let piece: number[] = [];
  for (const id of ids) {
    offsets.push(before);
    piece.push(id);
    const text = (piece.length === 1 && known.get(id)) || tokenizer.decode(piece, { skipSpecial: true });
    if (piece.length === 1) known.set(id, text);
    // an incomplete character decodes to the replacement character; a character has four bytes at most
    if (text.endsWith('\ufffd') && piece.length < 4) continue;
    before += text.length;
    piece = [];
  }
  return offsets;
}
