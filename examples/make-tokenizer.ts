// Makes the tokenizer of a small model: byte-level BPE without merges, in which each word of a data set is one token.
// Any other text still encodes, byte by byte. `tokenizer.json` is read by @huggingface/tokenizers and by transformers.
// Called as `make-tokenizer MODEL_FOLDER SOURCE...`: a source is FILE.jsonl:field,field, whose words are taken, or
// =TEXT, for words that no row holds.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Words, numbers and signs, each with the blank before it, so that " red" is one piece; a line break is a piece. */
const pieces = / ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]|\n|[^\S\n]+(?!\S)|[^\S\n]/gu;

/** Tokens of Qwen2.5-VL that the chat template and the model speak of, then those of the reasoning format. */
const specialTokens = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|vision_start|>',
  '<|vision_end|>',
  '<|image_pad|>',
  '<|video_pad|>',
];
/** Not "special": they are text that rewards read, so decoding must not leave them out. */
const formatTokens = ['<think>', '</think>', '<answer>', '</answer>'];

/** GPT-2's printable character for each byte (openai/gpt-2, encoder.py, bytes_to_unicode). */
const byteSymbols: readonly string[] = (() => {
  let other = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(printable ? byte : other++);
  });
})();

const symbols = (text: string): string => [...Buffer.from(text)].map(byte => byteSymbols[byte]).join('');

/** Every token of the vocabulary in the order of its id. */
function vocabularyOf(texts: Iterable<string>): readonly string[] {
  const tokens = new Set<string>([...byteSymbols].sort());
  const words = new Set<string>(['user', 'assistant', 'system', '\n', ' true', ' false']);
  for (let number = 0; number <= 20; number++) words.add(` ${number}`).add(`${number}`);
  const format = new RegExp(formatTokens.join('|'), 'g');
  for (const text of texts) {
    for (const part of text.split(format)) for (const [word] of part.matchAll(pieces)) words.add(word);
  }
  for (const word of [...words].sort()) tokens.add(symbols(word));
  return [...tokens];
}

export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly config: object;
  /** Tokens in all, with the added ones: the model's vocab_size. */
  readonly size: number;
}

export function makeTokenizer(texts: Iterable<string>): TokenizerFiles {
  const vocabulary = vocabularyOf(texts);
  const added = [...specialTokens, ...formatTokens].map((content, i) => ({
    id: vocabulary.length + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: i < specialTokens.length,
  }));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pieces.source }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges: [],
    },
  };
  const config = {
    add_prefix_space: false,
    backend: 'tokenizers',
    clean_up_tokenization_spaces: false,
    eos_token: '<|im_end|>',
    errors: 'replace',
    extra_special_tokens: specialTokens.slice(1),
    image_token: '<|image_pad|>',
    model_max_length: 4096,
    pad_token: '<|endoftext|>',
    // not Qwen2Tokenizer, which would put Qwen's own splitting in place of ours
    tokenizer_class: 'PreTrainedTokenizerFast',
    video_token: '<|video_pad|>',
  };
  return { tokenizer, config, size: vocabulary.length + added.length };
}

const rows = async (file: string): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>);

async function main(): Promise<void> {
  const [folder, ...sources] = process.argv.slice(2);
  if (folder === undefined) throw new Error('Usage: make-tokenizer MODEL_FOLDER FILE.jsonl:field,field =TEXT ...');
  const texts: string[] = [];
  for (const source of sources) {
    if (source.startsWith('=')) {
      texts.push(source.slice(1));
      continue;
    }
    const [file = '', fields = ''] = source.split(':');
    for (const row of await rows(file)) {
      for (const field of fields.split(',')) if (typeof row[field] === 'string') texts.push(row[field]);
    }
  }
  const { tokenizer, config, size } = makeTokenizer(texts);
  await writeFile(path.join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer, null, 2)}\n`);
  await writeFile(path.join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
  console.log(`${folder}: ${size} tokens`);
}

if (process.argv[1]?.includes('make-tokenizer') === true) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
