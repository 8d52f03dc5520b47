// From a row to an example, as the curriculum describes the data.

import { Template } from '@huggingface/jinja';
import type { DataSet } from '../config/schema';
import { TriphaseError } from '../protocol/errors';
import type { AnswerKind, Example } from '../protocol/example';
import { hashText } from '../protocol/random';
import { parseAnswer } from '../reward/answer';
import { captionFault } from './captions';
import { compileField, type ReadField, textOf } from './field';
import { imagePaths } from './row-images';
import type { Row } from './rows';

export type FieldName = keyof DataSet['fields'];

export const FIELDS: readonly FieldName[] = [
  'id',
  'question',
  'answer',
  'image',
  'images',
  'caption',
  'scene',
  'target',
  'choices',
  'difficulty',
];

export interface ExampleReader {
  /** The id of the example in a row; `number` is that of the row, from 1. */
  id(row: Row, number: number): string;
  /** Whether the row is part of the data at all. */
  belongs(row: Row, id: string): boolean;
  /** `drop` is told why there is no example, or what is left out of it. */
  read(row: Row, id: string, drop: (reason: string) => void): Example | undefined;
}

export function compileReader(source: string, set: DataSet): ExampleReader {
  const fields = Object.fromEntries(FIELDS.map(name => [name, compileField(set.fields[name], name)])) as Readonly<
    Record<FieldName, ReadField>
  >;
  const value = (row: Row, name: FieldName) => readField(fields[name], row, `data.${source}.fields.${name}`);
  const split = compileSplit(set);
  const where = compileWhere(source, set);
  return {
    id: (row, number) => textOf(value(row, 'id')) ?? String(number),
    belongs: (row, id) => where(row) && split(row, id),
    read: (row, id, drop) => toExample(id, source, set, row, name => value(row, name), drop),
  };
}

function toExample(
  id: string,
  source: string,
  set: DataSet,
  row: Row,
  read: (name: FieldName) => unknown,
  drop: (reason: string) => void,
): Example | undefined {
  const text = (name: FieldName) => textOf(read(name))?.trim() || undefined;
  const question = text('question');
  if (question === undefined) {
    drop('there is no question');
    return undefined;
  }
  const answer = text('answer');
  if (answer === undefined) {
    drop('there is no gold answer');
    return undefined;
  }
  const choices = withoutLetters(listOf(read('choices')));
  const answerKind = kindOf(answer, set.answer, choices);
  if (answerKind === undefined) {
    drop(
      `the gold answer cannot be read as ${[set.answer]
        .flat()
        .map(kind => KINDS[kind])
        .join(' or ')}`,
    );
    return undefined;
  }

  let caption = textOf(read('caption'))?.trim();
  if (caption !== undefined) {
    const fault = captionFault(
      caption,
      { question, answer, answerKind, ...(choices && { choices }) },
      set.caption_leaks,
    );
    if (fault !== undefined) {
      drop(`${fault} (the row stays, without it)`);
      caption = undefined;
    }
  }
  const scene = text('scene');
  const target = textOf(read('target'));
  const difficulty = numberOf(text('difficulty'), drop);
  return {
    id,
    source,
    question,
    answer,
    answerKind,
    ...(choices && { choices }),
    images: imagesOf(set, row, read),
    ...(caption !== undefined && { caption }),
    ...(scene !== undefined && { scene }),
    ...(target !== undefined && target !== '' && { target }),
    ...(difficulty !== undefined && { difficulty }),
  };
}

const KINDS = { number: 'one number', string: 'text', choice: 'one option' } as const;

/** The first kind as which the gold answer can be read. */
function kindOf(
  answer: string,
  kinds: DataSet['answer'],
  choices: readonly string[] | undefined,
): AnswerKind | undefined {
  if (typeof kinds === 'string') return parseAnswer(answer, kinds, choices).read === 'one' ? kinds : undefined;
  return kinds.find(
    kind => (kind !== 'choice' || (choices ?? []).length > 0) && parseAnswer(answer, kind, choices).read === 'one',
  );
}

function numberOf(text: string | undefined, drop: (reason: string) => void): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isFinite(number)) return number;
  drop('the difficulty is not a number (the row stays, without it)');
  return undefined;
}

function imagesOf(set: DataSet, row: Row, read: (name: FieldName) => unknown): readonly string[] {
  const values = [read('image'), read('images')];
  try {
    return values.flatMap(value => imagePaths(value, set));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TriphaseError('image', why, 'Images are files below image_folder, or stand in the row.', row.place);
  }
}

/** A list as texts; one text is a list of one. */
function listOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items = Array.isArray(value)
    ? value
    : typeof value === 'object' && !(value instanceof Uint8Array)
      ? Object.values(value)
      : [value];
  const texts = items.flatMap(item => textOf(item) ?? []);
  return texts.length === 0 ? undefined : texts;
}

/** Options that bring their own letters, `A. four`, lose them: the prompt writes them. */
function withoutLetters(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  const lettered = texts.map(
    (text, i) => new RegExp(`^\\(?${String.fromCharCode(65 + i)}[.):]\\s+(.+)$`, 's').exec(text)?.[1],
  );
  return texts.length > 1 && lettered.every(text => text !== undefined) ? lettered : texts;
}

function readField(read: ReadField, row: Row, name: string): unknown {
  try {
    return read(row.values);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TriphaseError(
      'data',
      `the template of ${name} fails on this row: ${why}`,
      'Correct the template, or the row.',
      row.place,
    );
  }
}

function compileWhere(source: string, { where }: DataSet): (row: Row) => boolean {
  if (where === undefined) return () => true;
  const template = new Template(`{% if ${where} %}1{% endif %}`);
  const read: ReadField = row => template.render({ ...row, row });
  return row => readField(read, row, `data.${source}.where`) === '1';
}

/** Whether a row belongs to the split: its group's hash is in the interval, so rows of one group stay together. */
function compileSplit({ split }: DataSet): (row: Row, id: string) => boolean {
  if (split === undefined) return () => true;
  const { by, from, to, seed } = split;
  const group = by === undefined ? undefined : compileField(by, 'id');
  return (row, id) => {
    const key = group === undefined ? id : groupKey(readField(group, row, 'split.by'));
    const hash = hashText(`${seed}:${key}`) / 2 ** 32;
    return hash >= from && hash < to;
  };
}

const groupKey = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
