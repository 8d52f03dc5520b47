import assert from 'node:assert/strict';
import { AlternativesList, byToken } from '../../src/rollout/kept-alternatives';

describe('alternatives that are kept', () => {
  it('of the first tokens are those of a list as long as completions may be', () => {
    const list = new AlternativesList();
    const tokens = 10_000;
    for (let i = 0; i < tokens; i++)
      list.add(Array.from({ length: 20 }, (_, k) => ({ token: 100 * (i % 50) + k, logProb: -k })));
    const first = list.first(tokens - 1).kept;
    const lists = byToken(first, 'tokens');
    assert.equal(lists.length, tokens - 1);
    assert.deepEqual(lists.at(-1), byToken(list.kept, 'tokens').at(-2));
    assert.equal(first.logProbs.length, 20 * (tokens - 1));
  });
});
