import assert from 'node:assert/strict';
import { unpackTokens } from '../../src/protocol/packed-tokens';
import type { TokenFigures } from '../../src/protocol/query';
import { packTokens } from '../../src/query/answer/pack-tokens';

/** With columns as plain arrays. */
const plain = (figures: TokenFigures): TokenFigures => {
  const { ids, offsets, logprobs, trainLogprobs, refLogprobs, entropy } = figures;
  const array = (column: ArrayLike<number> | null) => column && Array.from(column);
  return {
    ids: Array.from(ids),
    offsets: array(offsets),
    logprobs: array(logprobs),
    trainLogprobs: array(trainLogprobs),
    refLogprobs: array(refLogprobs),
    entropy: array(entropy),
  };
};

describe('figures of tokens as a text', () => {
  const some: TokenFigures = {
    ids: [0, 151_935, 7],
    offsets: [0, 3, 2 ** 24 + 1],
    logprobs: [-0.1, -1e-9, -80].map(Math.fround),
    trainLogprobs: null,
    refLogprobs: [Number.NEGATIVE_INFINITY, Number.NaN, 0],
    entropy: [],
  };

  it('are read as they were written, with what was not recorded', () => {
    const packed = packTokens(some);
    assert.equal(packed.count, 3);
    assert.deepEqual(plain(unpackTokens(JSON.parse(JSON.stringify(packed)))), some);
  });

  it('are short, however many there are', () => {
    const logprobs = Array.from({ length: 40_000 }, (_, i) => Math.fround(-i / 7));
    const many: TokenFigures = { ...some, ids: logprobs.map((_, i) => i), logprobs, entropy: null };
    const packed = packTokens(many);
    assert.deepEqual(plain(unpackTokens(packed)), many);
    assert.ok((packed.logprobs?.length ?? 0) * 3 < JSON.stringify(logprobs).length);
  });
});
