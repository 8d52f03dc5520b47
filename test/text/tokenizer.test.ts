import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TriphaseError } from '../../src/protocol/errors';
import { type ChatMessage, loadTokenizer, type Tokenizer } from '../../src/text/tokenizer';
import { referenceModel } from '../model/reference-model';

interface Expected {
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly decodes: readonly { readonly ids: readonly number[]; readonly text: string; readonly plain: string }[];
  readonly chats: readonly {
    readonly messages: readonly ChatMessage[];
    readonly prompt: string;
    readonly closed: string;
  }[];
}

describe('tokenizer', () => {
  const expected = JSON.parse(readFileSync(path.resolve('test/reference/text.json'), 'utf8')) as Expected;
  let tokenizer: Tokenizer;

  before(async () => {
    tokenizer = await loadTokenizer(referenceModel('tied'));
  });

  it("encodes as transformers does: contractions, digits, spaces, composed and other scripts' letters", () => {
    for (const { text, ids } of expected.texts) assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
  });

  it('decodes as transformers does: broken UTF-8, special tokens, ids without a token', () => {
    for (const { ids, text, plain } of expected.decodes) {
      assert.equal(tokenizer.decode(ids), text, ids.join());
      assert.equal(tokenizer.decode(ids, { skipSpecial: true }), plain, ids.join());
    }
  });

  it('renders chats as transformers does', () => {
    for (const { messages, prompt, closed } of expected.chats) {
      assert.equal(tokenizer.chat(messages, { addGenerationPrompt: true }), prompt);
      assert.equal(tokenizer.chat(messages), closed);
    }
  });

  it('knows the tokens that end and pad a completion', () => {
    const [end, start, text] = ['<|im_end|>', '<|im_start|>', '<|endoftext|>'].map(token => tokenizer.id(token));
    assert.deepEqual(tokenizer.eosIds, [end, text]);
    assert.equal(tokenizer.padId, text);
    assert.equal(start, (text as number) + 1);
    assert.equal(tokenizer.id('<|no such token|>'), undefined);
  });

  describe('of a folder that is not complete', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'triphase-tokenizer-'));
      for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'generation_config.json'])
        await cp(path.join(referenceModel('tied'), name), path.join(folder, name));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('takes the end token of tokenizer_config.json where there are no generation settings', async () => {
      await rm(path.join(folder, 'generation_config.json'));
      const { eosIds, id } = await loadTokenizer(folder);
      assert.deepEqual(eosIds, [id('<|im_end|>')]);
    });

    it('reads templates from chat_template.json and from tokenizer_config.json', async () => {
      await rm(path.join(folder, 'chat_template.jinja'));
      const messages = [{ role: 'user', content: 'Hi' }] as const;
      await writeFile(
        path.join(folder, 'tokenizer_config.json'),
        JSON.stringify({
          eos_token: { content: '<|im_end|>' },
          chat_template: 'C {{ messages[0].content }}{{ eos_token }}',
        }),
      );
      assert.equal((await loadTokenizer(folder)).chat(messages), 'C Hi<|im_end|>');
      await writeFile(path.join(folder, 'chat_template.json'), JSON.stringify({ chat_template: 'J' }));
      assert.equal((await loadTokenizer(folder)).chat(messages), 'J');
    });

    it('reads a vocabulary of the size of published ones', async () => {
      const file = path.join(folder, 'tokenizer.json');
      const json = JSON.parse(readFileSync(file, 'utf8')) as { model: { vocab: Record<string, number> } };
      const { vocab } = json.model;
      for (let id = 1000; id < 152_000; id++) vocab[`word-${id}`] = id;
      await writeFile(file, JSON.stringify(json));
      const large = await loadTokenizer(folder);
      assert.equal(large.decode([151_999]), 'word-151999');
      assert.deepEqual(large.encode('12 + 30 = 42'), tokenizer.encode('12 + 30 = 42'));
    });

    it('says what is missing and where', async () => {
      await rm(path.join(folder, 'chat_template.jinja'));
      const bare = await loadTokenizer(folder);
      assert.throws(
        () => bare.chat([]),
        (e: unknown) => e instanceof TriphaseError && /chat template/.test(e.message),
      );
      await writeFile(path.join(folder, 'chat_template.jinja'), '{% for %}');
      await assert.rejects(loadTokenizer(folder), /chat template cannot be parsed/);
      await rm(path.join(folder, 'tokenizer.json'));
      await assert.rejects(
        loadTokenizer(folder),
        (e: unknown) =>
          e instanceof TriphaseError && e.code === 'tokenizer' && e.place?.file === path.join(folder, 'tokenizer.json'),
      );
    });
  });
});
