// Rows of a data file: JSON lines or one JSON array, told apart by what is in the file and not by its name. Every row
// knows its line.

import { readFile } from 'node:fs/promises';
import { type Place, TriphaseError } from '../protocol/errors';

export type JsonObject = { readonly [key: string]: unknown };

export interface Row {
  readonly values: JsonObject;
  readonly place: Place;
}

export async function readRows(file: string): Promise<readonly Row[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code})`;
    throw new TriphaseError('data', what, 'Put the rows there, or name another file as path.');
  }
  const content = text.replace(/^\uFEFF/, '');
  const pieces = /^\s*\[/.test(content) ? arrayItems(content, file) : lines(content);
  return pieces.map(({ json, line }) => parseRow(json, { file, line }));
}

interface Piece {
  readonly json: string;
  readonly line: number;
}

function lines(content: string): readonly Piece[] {
  return content.split('\n').flatMap((json, i) => (json.trim() === '' ? [] : [{ json, line: i + 1 }]));
}

/** The texts of the items of an array, each with its line; JSON.parse alone would forget where they stood. */
function arrayItems(content: string, file: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let depth = 0;
  let line = 1;
  let start = 0;
  let startLine = 1;
  let inString = false;
  for (let i = 0; i < content.length; i++) {
    const character = content[i]!;
    if (character === '\n') line++;
    if (inString) {
      if (character === '\\') i++;
      else if (character === '"') inString = false;
      continue;
    }
    if (depth === 1 && start === i && /\s/.test(character)) {
      // white space before an item
      start = i + 1;
      startLine = line;
    }
    if (character === '"') inString = true;
    else if (character === '[' || character === '{') {
      if (++depth === 1) [start, startLine] = [i + 1, line];
    } else if (character === ']' || character === '}' || (character === ',' && depth === 1)) {
      const ends = character !== ',' && --depth === 0;
      if (ends || character === ',') {
        const json = content.slice(start, i);
        if (json.trim() !== '') pieces.push({ json, line: startLine });
        else if (character === ',') throw broken({ file, line }, 'an item is missing before the comma');
        [start, startLine] = [i + 1, line];
      }
      if (ends) {
        if (content.slice(i + 1).trim() !== '') throw broken({ file, line }, 'there is text after the end of the list');
        return pieces;
      }
    }
  }
  throw broken({ file, line }, 'the list has no end');
}

function parseRow(json: string, place: Place): Row {
  let values: unknown;
  try {
    values = JSON.parse(json);
  } catch (error) {
    throw broken(place, `this row is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw broken(place, 'this row is not a JSON object');
  return { values: values as JsonObject, place };
}

function broken(place: Place, what: string): TriphaseError {
  return new TriphaseError('data', what, 'Rows are JSON objects: one a line, or all in one list.', place);
}
