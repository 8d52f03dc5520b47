// Figures of tokens as texts of their bytes. Written out as digits they are three times as long, and a trace of 32,000
// tokens waits for them here, in the extension and in its page.

import type { PackedTokens, TokenFigures } from '../../protocol/query';

export const packTokens = (figures: TokenFigures): PackedTokens => ({
  count: figures.ids.length,
  ids: base64(Int32Array.from(figures.ids)),
  offsets: figures.offsets && base64(Int32Array.from(figures.offsets)),
  logprobs: figures.logprobs && base64(Float32Array.from(figures.logprobs)),
  trainLogprobs: figures.trainLogprobs && base64(Float32Array.from(figures.trainLogprobs)),
  refLogprobs: figures.refLogprobs && base64(Float32Array.from(figures.refLogprobs)),
  entropy: figures.entropy && base64(Float32Array.from(figures.entropy)),
});

const base64 = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
