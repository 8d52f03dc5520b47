// Figures of tokens as the query process sends them (src/query/answer/pack-tokens.ts), read again where they are shown.

import type { PackedTokens, TokenFigures } from './query';

export const unpackTokens = (packed: PackedTokens): TokenFigures => ({
  ids: Array.from(new Int32Array(bytesOf(packed.ids))),
  offsets: packed.offsets === null ? null : Array.from(new Int32Array(bytesOf(packed.offsets))),
  logprobs: reals(packed.logprobs),
  trainLogprobs: reals(packed.trainLogprobs),
  refLogprobs: reals(packed.refLogprobs),
  entropy: reals(packed.entropy),
});

const reals = (text: string | null): readonly number[] | null =>
  text === null ? null : Array.from(new Float32Array(bytesOf(text)));

function bytesOf(text: string): ArrayBuffer {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}
