// Rows of data files, whatever their format: JSON lines, JSON, CSV, Parquet, a folder a row. The format is told by what is
// in the file and not by its name, but for CSV, which looks like anything. Every row knows its place.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fileHead, matchingFiles } from '../config/files';
import { TriphaseError } from '../protocol/errors';
import { csvRows } from './csv-rows';
import { folderRows } from './folder-rows';
import { brokenRow, jsonItems } from './json-items';
import { linesOfFile, parseRow, textLines } from './json-lines';
import { isParquet, parquetRows } from './parquet-rows';
import type { Row, RowBatches } from './row';

export interface RowsOptions {
  /** Keys to the list of rows in a JSON file, as `data.examples`. */
  readonly rows?: string | undefined;
}

/** @param at a file, a folder of folders, or a pattern of files with `*` and `?` */
export async function* readRows(at: string, { rows }: RowsOptions = {}): RowBatches {
  const files = await matchingFiles(at);
  if (files === 'folder') {
    yield* folderRows(at);
    return;
  }
  for (const file of files) yield* fileRows(file, rows, files.length > 1);
}

/** Of many files, one that holds one object is one row. */
async function* fileRows(file: string, rows: string | undefined, ofMany: boolean): RowBatches {
  const head = await fileHead(file);
  if (isParquet(head)) {
    yield* parquetRows(file);
    return;
  }
  const zipped = head[0] === 0x1f && head[1] === 0x8b;
  const name = zipped ? file.replace(/\.gz$/i, '') : file;
  if (/\.(csv|tsv)$/i.test(name)) {
    yield csvRows(await text(file, zipped), file, /\.tsv$/i.test(name));
    return;
  }
  const first = /[^\s\uFEFF]/.exec(zipped ? (await text(file, zipped)).slice(0, 4096) : utf8(head))?.[0];
  if (rows !== undefined || first === '[') {
    yield itemRows(await text(file, zipped), file, rows);
    return;
  }
  // an object over several lines; a file that is one line of JSON is a row
  if (ofMany && first === '{' && /\.json(\.gz)?$/i.test(file)) {
    const content = await text(file, zipped);
    if (isJson(content)) {
      yield [parseRow(content, { file, line: 1 })];
      return;
    }
  }
  try {
    if (zipped) yield textLines(await text(file, zipped), file);
    else yield* linesOfFile(file);
  } catch (error) {
    throw first === '{' && error instanceof TriphaseError ? await oneObject(file, error) : error;
  }
}

function itemRows(content: string, file: string, rows: string | undefined): readonly Row[] {
  const keys = rows === undefined || rows === '.' ? [] : rows.split('.');
  return jsonItems(content, file, keys).map(({ json, line, key }) => {
    const row = parseRow(json, { file, line });
    return key === undefined || 'key' in row.values ? row : { ...row, values: { ...row.values, key } };
  });
}

/** A line of an object that spans lines is no row: what was meant is said. */
async function oneObject(file: string, error: TriphaseError): Promise<TriphaseError> {
  const content = await text(file, false);
  if (!isJson(content)) return error;
  return new TriphaseError(
    'data',
    'the file is one JSON object',
    `${listsIn(JSON.parse(content)) ?? 'Rows are the items of a list in it, or the values of an object in it.'} Name where they are as rows, with a dot for the file itself.`,
    { file },
  );
}

/** "Its lists are examples (250), notes (3)." */
export function listsIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const lists = Object.entries(value).flatMap(([key, inner]) =>
    Array.isArray(inner) && typeof inner[0] === 'object' ? [`${key} (${inner.length})`] : [],
  );
  return lists.length === 0 ? undefined : `Lists of objects in it: ${lists.join(', ')}.`;
}

function isJson(content: string): boolean {
  try {
    JSON.parse(content.replace(/^\uFEFF/, ''));
    return true;
  } catch {
    return false;
  }
}

/** A few kilobytes can unzip to more than any memory; what is larger comes in several files. */
const mostUnzipped = 2 ** 29 - 1;

async function text(file: string, zipped: boolean): Promise<string> {
  const bytes = await readFile(file);
  try {
    return decoded(zipped ? gunzipSync(bytes, { maxOutputLength: mostUnzipped }) : bytes).replace(/^\uFEFF/, '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw brokenRow({ file }, `${path.basename(file)} cannot be read whole (${why})`);
  }
}

/** UTF-8, or UTF-16 where a mark of its byte order stands first, as spreadsheets save it. */
function decoded(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return utf8(bytes);
}

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
