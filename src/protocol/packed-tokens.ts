// Figures of tokens as the query process sends them (src/query/answer/pack-tokens.ts), read again where they are shown.

import type { PackedTokens, TokenFigures } from './query';

/** Each column is read when it is first asked for: of a long completion most is never looked at. */
export function unpackTokens(packed: PackedTokens): TokenFigures {
  const ids = once(() => new Int32Array(bytesOf(packed.ids)));
  const offsets = once(() => (packed.offsets === null ? null : new Int32Array(bytesOf(packed.offsets))));
  const logprobs = once(() => reals(packed.logprobs));
  const trainLogprobs = once(() => reals(packed.trainLogprobs));
  const refLogprobs = once(() => reals(packed.refLogprobs));
  const entropy = once(() => reals(packed.entropy));
  return {
    get ids() {
      return ids();
    },
    get offsets() {
      return offsets();
    },
    get logprobs() {
      return logprobs();
    },
    get trainLogprobs() {
      return trainLogprobs();
    },
    get refLogprobs() {
      return refLogprobs();
    },
    get entropy() {
      return entropy();
    },
  };
}

const reals = (text: string | null): Float32Array | null => (text === null ? null : new Float32Array(bytesOf(text)));

function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}

function bytesOf(text: string): ArrayBuffer {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}
