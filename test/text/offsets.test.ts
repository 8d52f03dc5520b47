import assert from 'node:assert/strict';
import { tokenOffsets } from '../../src/text/offsets';
import { loadTokenizer } from '../../src/text/tokenizer';
import { referenceModels } from '../model/reference';

describe('token offsets', () => {
  it('cut the decoded text where its tokens begin, also within characters of several tokens', async () => {
    for (const folder of await referenceModels()) {
      const tokenizer = await loadTokenizer(folder);
      const ids = tokenizer.encode('red 4, é 漢字 😀 blue.\nWhat<|im_end|>');
      const text = tokenizer.decode(ids, { skipSpecial: true });
      const offsets = tokenOffsets(tokenizer, ids);
      assert.equal(offsets.length, ids.length);
      offsets.forEach((offset, i) => {
        // the prefix that is whole characters is what comes before the token
        const prefix = tokenizer.decode(ids.slice(0, i), { skipSpecial: true }).replace(/\ufffd+$/, '');
        assert.equal(text.slice(0, offset), prefix);
      });
      assert.ok(new Set(offsets).size < offsets.length, 'some character has several tokens');
    }
  });
});
