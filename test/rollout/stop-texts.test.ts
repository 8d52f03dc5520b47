import assert from 'node:assert/strict';
import { StopTexts } from '../../src/rollout/stop-texts';
import { loadTokenizer } from '../../src/text/tokenizer';
import { referenceModel } from '../model/reference-model';

describe('stop texts', () => {
  const texts = ['</answer>', '東京', 'é!', '🙂\n'];

  it('are found with the token that completes them, as in the whole text', async () => {
    const tokenizer = await loadTokenizer(referenceModel('tied'));
    const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
    const special = tokenizer.eosIds[0]!;
    const inputs = [
      'a long text before it, and more of it. <answer>4</answer>, and behind',
      'at 東 of 東京 and on',
      'caf\u00e9! and 🙂🙂\n.',
      'nothing </answe r>',
    ];
    for (const text of inputs) {
      // every second token is one that says nothing; stray bytes stand before all
      const ids = [160, 161, ...tokenizer.encode(text)].flatMap((id, i) => (i % 2 === 0 ? [id, special] : [id]));
      const stop = new StopTexts(texts, decode);
      let found = false;
      for (let n = 1; n <= ids.length && !found; n++) {
        const whole = decode(ids.slice(0, n));
        const expected = texts.some(t => whole.includes(t));
        found = stop.endIn(ids.slice(0, n));
        assert.equal(found, expected, `${JSON.stringify(whole)}`);
      }
      assert.equal(
        found,
        texts.some(t => text.includes(t)),
      );
    }
  });

  it('are looked for in the end of a completion only', () => {
    const asked: number[] = [];
    const stop = new StopTexts(['ab'], ids => {
      asked.push(ids.length);
      return ids.map(() => 'x').join('');
    });
    assert.equal(stop.endIn(Array<number>(5000).fill(1)), false);
    assert.ok(Math.max(...asked) <= 6);
    assert.equal(new StopTexts([], () => assert.fail('nothing is decoded for no texts')).endIn([1, 2]), false);
  });
});
