// The tokenizer and chat template of a model folder, as transformers reads them.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Template } from '@huggingface/jinja';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { TriphaseError } from '../protocol/errors';
import { renderBounded } from './bounded-template';

export type ContentPart = { readonly type: 'image' } | { readonly type: 'text'; readonly text: string };

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string | readonly ContentPart[];
}

export interface Tokenizer {
  /** Special tokens in the text become their ids; none are added to it. */
  encode(text: string): number[];
  /** Bytes that are no UTF-8 become U+FFFD; ids without a token (padding of the vocabulary) vanish. */
  decode(ids: readonly number[], options?: { readonly skipSpecial?: boolean }): string;
  id(token: string): number | undefined;
  /** Generation ends at any of these. */
  readonly eosIds: readonly number[];
  readonly padId: number;
  /** The rendered chat template; with `addGenerationPrompt` it ends where the assistant's answer begins. */
  chat(messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }): string;
}

const tokenContent = z.union([z.string(), z.looseObject({ content: z.string() }).transform(token => token.content)]);

const configFields = z.looseObject({
  eos_token: tokenContent.nullish(),
  bos_token: tokenContent.nullish(),
  pad_token: tokenContent.nullish(),
  unk_token: tokenContent.nullish(),
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
});

const generationFields = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  pad_token_id: z.int().nullish(),
});

export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const file = path.join(folder, 'tokenizer.json');
  const json = await readJson(file, z.looseObject({}));
  if (json === undefined)
    throw new TriphaseError(
      'tokenizer',
      'The model folder has no tokenizer.json.',
      'Complete the folder; transformers writes the file when it saves a tokenizer.',
      { file },
    );
  const config = (await readJson(path.join(folder, 'tokenizer_config.json'), configFields)) ?? {};
  const generation = (await readJson(path.join(folder, 'generation_config.json'), generationFields)) ?? {};

  let inner: HuggingFaceTokenizer;
  try {
    inner = new HuggingFaceTokenizer(json, config);
  } catch (error) {
    throw new TriphaseError(
      'tokenizer',
      `tokenizer.json cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Use the tokenizer.json of a published model, or let transformers write it again.',
      { file },
    );
  }

  const id = (token: string | null | undefined) => (token == null ? undefined : inner.token_to_id(token));
  const tokenEos = id(config.eos_token);
  const given = generation.eos_token_id ?? tokenEos;
  if (given === undefined)
    throw new TriphaseError(
      'tokenizer',
      'Neither generation_config.json nor tokenizer_config.json names an end token.',
      'Give "eos_token" in tokenizer_config.json.',
      { file: path.join(folder, 'tokenizer_config.json') },
    );
  const eosIds = typeof given === 'number' ? [given] : given;
  const known = new Set(inner.get_vocab().values());
  const template = await readTemplate(folder, config.chat_template);
  const names = Object.entries({
    bos_token: config.bos_token,
    eos_token: config.eos_token,
    pad_token: config.pad_token,
    unk_token: config.unk_token,
  }).filter(([, token]) => token != null);

  return {
    eosIds,
    padId: generation.pad_token_id ?? id(config.pad_token) ?? (eosIds[0] as number),
    id,
    // a chat template writes what begins a text itself, and a piece of a completion has no beginning
    encode: text => (text === '' ? [] : inner.encode(text, { add_special_tokens: false }).ids),
    decode: (ids, { skipSpecial = false } = {}) => {
      const present = ids.filter(token => known.has(token));
      if (present.length === 0) return '';
      return inner.decode(present, { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false });
    },
    chat: (messages, { addGenerationPrompt = false } = {}) => {
      if (template === undefined)
        throw new TriphaseError(
          'tokenizer',
          'The model folder has no chat template.',
          'Add the chat_template.jinja of the model to the folder.',
          { file: folder },
        );
      try {
        return renderBounded(template.template, {
          ...Object.fromEntries(names),
          messages,
          add_generation_prompt: addGenerationPrompt,
        });
      } catch (error) {
        throw new TriphaseError(
          'tokenizer',
          `The chat template failed: ${error instanceof Error ? error.message : String(error)}.`,
          'Correct the template, or the messages it refuses.',
          { file: template.file },
        );
      }
    },
  };
}

/** In transformers' order: chat_template.jinja, chat_template.json, tokenizer_config.json. */
async function readTemplate(
  folder: string,
  inConfig: z.output<typeof configFields>['chat_template'],
): Promise<{ readonly template: Template; readonly file: string } | undefined> {
  const compile = (source: string, file: string) => {
    try {
      return { template: new Template(source), file };
    } catch (error) {
      throw new TriphaseError(
        'tokenizer',
        `The chat template cannot be parsed: ${error instanceof Error ? error.message : String(error)}.`,
        'Correct the template.',
        { file },
      );
    }
  };
  const jinja = path.join(folder, 'chat_template.jinja');
  const source = await readText(jinja);
  if (source !== undefined) return compile(source, jinja);
  const file = path.join(folder, 'chat_template.json');
  const json = await readJson(file, z.looseObject({ chat_template: z.string() }));
  if (json !== undefined) return compile(json.chat_template, file);
  const own = typeof inConfig === 'string' ? inConfig : inConfig?.find(entry => entry.name === 'default')?.template;
  return own === undefined ? undefined : compile(own, path.join(folder, 'tokenizer_config.json'));
}

/** The largest tokenizers of published models have 35 MB; what parses takes some twenty times as much memory. */
const mostBytes = 64e6;

/** undefined where there is no such file. */
async function readText(file: string): Promise<string | undefined> {
  const size = await stat(file).then(
    status => status.size,
    () => 0,
  );
  if (size > mostBytes)
    throw new TriphaseError(
      'tokenizer',
      `The file has ${Math.round(size / 1e6)} MB; ${mostBytes / 1e6} MB are read at most.`,
      'Use the file of a published model, or let transformers write it again.',
      { file },
    );
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new TriphaseError('tokenizer', `The file cannot be read: ${why}.`, 'Download it again.', { file });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? parsed.data
    : refuse(parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}
