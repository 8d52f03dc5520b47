import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { makeTokenizer } from '../../examples/make-tokenizer';

interface TokenIds {
  readonly text: string;
  readonly ids: readonly number[];
}

describe('examples/make-tokenizer', () => {
  const { tokenizer, config, size } = makeTokenizer(['Red, please. <think> red 4</think>', '<answer> 12</answer>']);
  const loaded = new Tokenizer(tokenizer, config);
  const tokens = (text: string) => loaded.encode(text, { add_special_tokens: false }).tokens;

  it('makes one token of each word, number and sign, with the blank before it', () => {
    assert.deepEqual(tokens('Red, please. red 4 12 20'), ['Red', ',', 'Ġplease', '.', 'Ġred', 'Ġ4', 'Ġ12', 'Ġ20']);
  });

  it('keeps the tags of the reasoning format when special tokens are left out', () => {
    const { ids } = loaded.encode('<think> red 4</think><|im_end|>', { add_special_tokens: false });
    assert.equal(ids.length, 5);
    assert.equal(loaded.decode(ids, { skip_special_tokens: true }), '<think> red 4</think>');
  });

  it('encodes what it has no word for byte by byte, and gives it back', () => {
    const text = 'Zürich 1234\n\n\t日本';
    const { ids } = loaded.encode(text, { add_special_tokens: false });
    assert.equal(loaded.decode(ids), text);
  });

  it('numbers every token once', () => {
    const { model, added_tokens: added } = tokenizer as {
      model: { vocab: Record<string, number> };
      added_tokens: readonly { id: number }[];
    };
    const ids = [...Object.values(model.vocab), ...added.map(token => token.id)].sort((a, b) => a - b);
    assert.deepEqual(ids, [...Array(size).keys()]);
  });

  // token-ids.json holds what transformers 5.23 (AutoTokenizer) makes of these texts with the committed folders
  for (const example of ['shapes', 'nlvr']) {
    it(`gives the ids that transformers gives: examples/${example}`, async () => {
      const json = async <T>(file: string) => JSON.parse(await readFile(file, 'utf8')) as T;
      const folder = `examples/${example}/blank`;
      const mine = new Tokenizer(await json(`${folder}/tokenizer.json`), await json(`${folder}/tokenizer_config.json`));
      const cases = await json<Record<string, readonly TokenIds[]>>('test/examples/token-ids.json');
      for (const { text, ids } of cases[example] ?? [])
        assert.deepEqual(mine.encode(text, { add_special_tokens: false }).ids, ids, text);
    });
  }
});
