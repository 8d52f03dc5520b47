// Reads the examples of one data set as the curriculum describes it. What cannot be used is dropped and counted; what
// shows that the curriculum is wrong is an error.

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FieldSpec } from '../config/fields';
import { suggestion } from '../config/nearest';
import type { Curriculum, DataSet } from '../config/schema';
import { type Place, TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import { hashText } from '../protocol/random';
import { parseAnswer } from '../reward/answer';
import { captionFault } from './captions';
import { compileField, pathOf, type ReadField, textOf } from './field';
import { type Row, readRows } from './rows';

export interface Dropped {
  readonly reason: string;
  readonly count: number;
  readonly first: Place;
}

export interface LoadedExamples {
  readonly examples: readonly Example[];
  /** Rows that were left out, and captions that were taken from rows that stayed. */
  readonly dropped: readonly Dropped[];
}

type PlaceOf = (path: readonly (string | number)[]) => Place;
type FieldName = keyof DataSet['fields'];
type Fields = Readonly<Record<FieldName, ReadField>>;

const FIELDS: readonly FieldName[] = [
  'id',
  'question',
  'answer',
  'image',
  'images',
  'caption',
  'scene',
  'target',
  'choices',
];

/** `place` is that of the loaded curriculum, so that an error names the line of the setting that is wrong. */
export async function loadExamples(
  config: Pick<Curriculum, 'data'>,
  id: string,
  place?: PlaceOf,
): Promise<LoadedExamples> {
  const set = config.data[id];
  const at = (...keys: readonly string[]): Place => place?.(['data', id, ...keys]) ?? { file: set?.path ?? id };
  if (set === undefined)
    throw new TriphaseError('data', `there is no data '${id}'`, suggestion(id, Object.keys(config.data), 'data'), at());
  const rows = await readRows(set.path);
  const fields = Object.fromEntries(FIELDS.map(name => [name, compileField(set.fields[name], name)])) as Fields;
  checkFields(set, rows, at);

  const counts = new Map<string, { count: number; first: Place }>();
  const drop = (reason: string, row: Row): undefined => {
    const known = counts.get(reason);
    counts.set(reason, { count: (known?.count ?? 0) + 1, first: known?.first ?? row.place });
  };
  const belongs = compileSplit(set);
  const seen = new Map<string, Row>();
  const examples: Example[] = [];
  for (const [i, row] of rows.entries()) {
    if (set.limit !== undefined && examples.length >= set.limit) break;
    const read = (name: FieldName) => readField(fields[name], row, `data.${id}.fields.${name}`);
    const own = textOf(read('id')) ?? String(i + 1);
    const other = seen.get(own);
    if (other !== undefined)
      throw new TriphaseError(
        'data',
        `two rows of data '${id}' have the id '${own}', this one and line ${other.place.line}`,
        `Name what tells rows apart as data.${id}.fields.id; a template can join several keys.`,
        row.place,
      );
    seen.set(own, row);
    if (!belongs(row, own)) continue;
    const example = toExample(own, id, set, read, reason => drop(reason, row));
    if (example !== undefined) examples.push(example);
  }
  checkImages(examples, seen, at);
  const dropped = [...counts].map(([reason, { count, first }]) => ({ reason, count, first }));
  if (examples.length === 0)
    throw new TriphaseError(
      'data',
      `data '${id}' has no examples: of ${rows.length} rows ${dropped.map(({ reason, count }) => `${count} were dropped because ${reason}`).join(', ') || 'none are in its split'}`,
      'Look at its path, fields, answer and split.',
      at(),
    );
  return { examples, dropped };
}

type Drop = (reason: string) => undefined;

function toExample(
  id: string,
  source: string,
  set: DataSet,
  read: (name: FieldName) => unknown,
  drop: Drop,
): Example | undefined {
  const text = (name: FieldName) => textOf(read(name))?.trim() || undefined;
  const question = text('question');
  if (question === undefined) return drop('there is no question');
  const answer = text('answer');
  if (answer === undefined) return drop('there is no gold answer');
  const choices = withoutLetters(listOf(read('choices')));
  const kind = set.answer;
  const gold = parseAnswer(answer, kind, choices);
  if (gold.read !== 'one') return drop(`the gold answer cannot be read as ${KINDS[kind]}`);

  const written = read('caption');
  let caption = textOf(written)?.trim();
  if (caption !== undefined) {
    const fault = captionFault(
      caption,
      { question, answer, answerKind: kind, ...(choices && { choices }) },
      set.caption_leaks,
    );
    if (fault !== undefined) {
      drop(`${fault} (the row stays, without it)`);
      caption = undefined;
    }
  }
  const scene = text('scene');
  const target = textOf(read('target'));
  const images = [...(listOf(read('image')) ?? []), ...(listOf(read('images')) ?? [])];
  return {
    id,
    source,
    question,
    answer,
    answerKind: kind,
    ...(choices && { choices }),
    images: images.filter(image => image !== '').map(image => path.resolve(set.image_folder, image)),
    ...(caption !== undefined && { caption }),
    ...(scene !== undefined && { scene }),
    ...(target !== undefined && target !== '' && { target }),
  };
}

const KINDS = { number: 'one number', string: 'text', choice: 'one option' } as const;

/** A list as texts; one text is a list of one. Images may be objects with a path, as in Hugging Face data sets. */
function listOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items = Array.isArray(value)
    ? value
    : typeof value === 'object' && !('path' in value)
      ? Object.values(value)
      : [value];
  const texts = items.flatMap(item => textOf(isImageObject(item) ? item.path : item) ?? []);
  return texts.length === 0 ? undefined : texts;
}

function isImageObject(item: unknown): item is { readonly path: unknown } {
  return typeof item === 'object' && item !== null && 'path' in item;
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

/** A field that the curriculum names and that no row has is a slip of the pen, not a hundred rows to drop. */
function checkFields(set: DataSet, rows: readonly Row[], at: (...keys: readonly string[]) => Place): void {
  if (rows.length === 0)
    throw new TriphaseError('data', `${set.path} is empty`, 'Put one JSON object a line there.', at('path'));
  const keys = () => [...new Set(rows.slice(0, 100).flatMap(({ values }) => Object.keys(values)))];
  const named: readonly (readonly [readonly string[], FieldSpec | undefined, string | undefined])[] = [
    ...FIELDS.map(
      name =>
        [['fields', name], set.fields[name], name === 'question' || name === 'answer' ? name : undefined] as const,
    ),
    [['split', 'by'], set.split?.by, undefined],
  ];
  for (const [where, spec, required] of named) {
    const key = pathOf(spec) ?? (spec === undefined ? required : undefined);
    if (key === undefined) continue;
    const read = compileField(key, key);
    if (rows.some(({ values }) => read(values) !== undefined)) continue;
    const near = suggestion(key.split('.')[0] ?? key, keys(), 'key');
    const remedy = spec === undefined ? `Name the key that holds it as fields.${required}. ${near}` : near;
    throw new TriphaseError('data', `no row of ${set.path} has '${key}'`, remedy, at(...where));
  }
}

function checkImages(
  examples: readonly Example[],
  rows: ReadonlyMap<string, Row>,
  at: (...keys: readonly string[]) => Place,
): void {
  const missing = examples.flatMap(({ id, images }) =>
    images.filter(image => !existsSync(image)).map(image => ({ id, image })),
  );
  const [first] = missing;
  if (first === undefined) return;
  const count = missing.length === 1 ? 'an image is' : `${missing.length} images are`;
  const row = rows.get(first.id)?.place;
  throw new TriphaseError(
    'image',
    `${count} not there, first ${first.image}${row === undefined ? '' : ` (${row.file}:${row.line})`}`,
    'Relative image paths begin at image_folder, which is the folder of path unless it is set.',
    at('image_folder'),
  );
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
