// Where each token begins in the text that all of them decode to.

import type { Tokenizer } from './tokenizer';

/**
 * UTF-16 offsets into `decode(ids, { skipSpecial: true })`, one a token. A token that ends within a character begins
 * where that character does; the text is decoded in pieces of whole characters, so that the work grows with its length
 * and not with its square.
 */
export function tokenOffsets(tokenizer: Tokenizer, ids: readonly number[]): number[] {
  const offsets: number[] = [];
  let before = 0;
  let piece: number[] = [];
  for (const id of ids) {
    offsets.push(before);
    piece.push(id);
    const text = tokenizer.decode(piece, { skipSpecial: true });
    // an incomplete character decodes to the replacement character; a character has four bytes at most
    if (text.endsWith('\ufffd') && piece.length < 4) continue;
    before += text.length;
    piece = [];
  }
  return offsets;
}
