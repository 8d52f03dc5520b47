// Segments of an index: the rollouts of many steps together, for whoever looks through all of them. Narrow columns lie
// apart from the texts, and token arrays stay in the files that the segment was made from. A segment is made once, appears
// whole and is never changed; its JSON file comes last and says which files, of which attempt, are in it. Everything in
// it can be made again: the files that it was made from are the truth.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { z } from 'zod';
import type { Cell, Column, ImageRef } from '../protocol/query';
import { makeFolderIn, writeFileAtomic } from './atomic';

/** A rollout as an index keeps it. */
export interface IndexRow {
  readonly step: number;
  readonly group: number;
  readonly sample: number;
  /** Narrow columns beside these three; what is not recorded is null or left out. */
  readonly cells: Readonly<Record<string, Cell>>;
  readonly prompt: string | null;
  readonly completion: string;
  readonly question: string | null;
  readonly caption: string | null;
  readonly images: readonly ImageRef[];
}

/** A file of rollouts as it was when its rows were taken. */
export interface IndexedFile {
  /** As the folder names it. */
  readonly file: string;
  /** Another version of the same file counts as another file. */
  readonly version: string;
  readonly step: number;
  readonly rows: number;
  readonly groups: number;
}

export interface Segment {
  readonly number: number;
  readonly narrowFile: string;
  readonly textsFile: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** In the order of their rows. */
  readonly files: readonly IndexedFile[];
}

/** Row r of segment n has the id n x 2^26 + r: unique in an index, and ascending. */
export const idsPerSegment = 2 ** 26;

/** A segment is closed when it has so many rows, or so many characters. */
export const mostRows = 65_536;
export const mostCharacters = 128 * 2 ** 20;

/** Rows that are read together: what a page of texts costs is some of these. */
export const textRowGroup = 512;

const idColumn = '__id';
const imagesColumn = '__images';
const firstColumns = ['step', 'group', 'sample'] as const;

/** Where the index of a run lies. */
export const indexFolder = (folder: string): string => path.join(folder, 'index');

/** Writes a segment of these files and their rows, in the same order. */
export function writeSegment(
  folder: string,
  number: number,
  files: readonly IndexedFile[],
  rows: readonly IndexRow[],
  rules: ReadonlySet<string>,
): Segment {
  makeFolderIn(path.dirname(folder), path.basename(folder));
  const segment = { ...named(folder, number), rows: rows.length, columns: columnsOf(rows, rules), files };
  const ids = rows.map((_, i) => BigInt(number * idsPerSegment + i));
  writeFileAtomic(segment.narrowFile, narrowBytes(ids, rows, segment.columns));
  writeFileAtomic(segment.textsFile, textBytes(ids, rows));
  const { columns } = segment;
  writeFileAtomic(
    manifestFile(folder, number),
    JSON.stringify({ format: 1, number, rows: rows.length, columns, files }),
  );
  return segment;
}

/** The whole segments of an index, in order. One that is not whole, or from another version, is passed over. */
export const readSegments = (folder: string): readonly Segment[] => new SegmentReader(folder).read();

/** The same again and again: what a segment says of itself is read once. */
export class SegmentReader {
  private known = new Map<string, Segment>();

  constructor(private readonly folder: string) {}

  read(): readonly Segment[] {
    const names = existsSync(this.folder) ? readdirSync(this.folder) : [];
    const there = new Set(names);
    const before = this.known;
    this.known = new Map();
    for (const name of names.filter(one => /^\d+\.json$/.test(one)).toSorted()) {
      const known = before.get(name);
      const whole = known !== undefined && filesOf(known).every(file => there.has(path.basename(file)));
      const segment = whole ? known : readSegment(this.folder, name);
      if (segment !== undefined) this.known.set(name, segment);
    }
    return [...this.known.values()];
  }
}

const filesOf = ({ narrowFile, textsFile }: Segment): readonly string[] => [narrowFile, textsFile];

export function removeSegment(folder: string, number: number): void {
  // the manifest first: without it the others are nothing
  const { narrowFile, textsFile } = named(folder, number);
  for (const file of [manifestFile(folder, number), narrowFile, textsFile]) rmSync(file, { force: true });
}

/** Above every number that was ever used here, also by a segment that was not finished. */
export function nextSegmentNumber(folder: string): number {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return 1 + Math.max(0, ...names.map(name => Number(/^(\d+)\./.exec(name)?.[1] ?? 0)));
}

const stem = (folder: string, number: number) => path.join(folder, String(number).padStart(6, '0'));
const manifestFile = (folder: string, number: number) => `${stem(folder, number)}.json`;
const named = (folder: string, number: number) => ({
  number,
  narrowFile: `${stem(folder, number)}.narrow.parquet`,
  textsFile: `${stem(folder, number)}.texts.parquet`,
});

const manifestSchema = z.object({
  format: z.literal(1),
  number: z.number(),
  rows: z.number(),
  columns: z.array(
    z.object({ name: z.string(), type: z.enum(['number', 'text', 'boolean']), rule: z.literal(true).exactOptional() }),
  ),
  files: z.array(
    z.object({ file: z.string(), version: z.string(), step: z.number(), rows: z.number(), groups: z.number() }),
  ),
});

function readSegment(folder: string, name: string): Segment | undefined {
  try {
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
    const files = named(folder, manifest.number);
    if (!existsSync(files.narrowFile) || !existsSync(files.textsFile)) return undefined;
    const { format: _format, ...rest } = manifest;
    return { ...rest, ...files };
  } catch {
    return undefined;
  }
}

/** Columns in the order in which they first come; one that holds values of several kinds is text. */
function columnsOf(rows: readonly IndexRow[], rules: ReadonlySet<string>): readonly Column[] {
  const types = new Map<string, Column['type'] | undefined>();
  for (const { cells } of rows) {
    for (const [name, cell] of Object.entries(cells)) {
      const before = types.get(name);
      if (cell === null) {
        if (before === undefined) types.set(name, undefined);
        continue;
      }
      const type = typeof cell === 'number' ? 'number' : typeof cell === 'string' ? 'text' : 'boolean';
      types.set(name, before === undefined || before === type ? type : 'text');
    }
  }
  return [
    ...firstColumns.map(name => ({ name, type: 'number' as const })),
    // a column without a value in it says nothing: whoever reads it finds null where it is missing
    ...[...types].flatMap(([name, type]) =>
      type === undefined ? [] : [{ name, type, ...(rules.has(name) ? { rule: true as const } : {}) }],
    ),
  ];
}

const elements: Readonly<Record<Column['type'], Omit<SchemaElement, 'name'>>> = {
  number: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  text: {
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'OPTIONAL',
  },
  boolean: { type: 'BOOLEAN', repetition_type: 'OPTIONAL' },
};

const idElement: SchemaElement = { name: idColumn, type: 'INT64', repetition_type: 'REQUIRED' };

function narrowBytes(ids: readonly bigint[], rows: readonly IndexRow[], columns: readonly Column[]): Uint8Array {
  const value = (row: IndexRow, { name, type }: Column): Cell => {
    const cell = name === 'step' || name === 'group' || name === 'sample' ? row[name] : (row.cells[name] ?? null);
    if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) return null;
    return type === 'text' ? String(cell) : cell;
  };
  return parquet(
    [idElement, ...columns.map(column => ({ name: column.name, ...elements[column.type] }))],
    [ids, ...columns.map(column => rows.map(row => value(row, column)))],
    { rowGroupSize: mostRows, pageSize: 2 ** 20 },
  );
}

function textBytes(ids: readonly bigint[], rows: readonly IndexRow[]): Uint8Array {
  const text = (name: string): SchemaElement => ({ name, ...elements.text });
  const texts = (['prompt', 'completion', 'question', 'caption'] as const).map(name => rows.map(row => row[name]));
  const images = rows.map(row => (row.images.length === 0 ? null : JSON.stringify(row.images)));
  return parquet(
    [idElement, text('prompt'), text('completion'), text('question'), text('caption'), text(imagesColumn)],
    [ids, ...texts, images],
    // pages so small that one row can be read without its row group
    { rowGroupSize: textRowGroup, pageSize: 2 ** 16 },
  );
}

function parquet(
  schema: readonly SchemaElement[],
  data: readonly (readonly unknown[])[],
  sizes: { readonly rowGroupSize: number; readonly pageSize: number },
): Uint8Array {
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: schema.length }, ...schema],
    createdBy: 'triphase',
  });
  file.write({
    columnData: schema.map(({ name, type }, i) => ({
      name,
      data: data[i] as unknown[],
      statistics: type !== 'BYTE_ARRAY',
      // no two are alike: a dictionary would be made for nothing
      ...(name === 'completion' ? { encoding: 'PLAIN' as const } : {}),
    })),
    ...sizes,
  });
  file.finish();
  return new Uint8Array(writer.getBuffer());
}
