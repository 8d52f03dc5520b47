// The keys that the rows of a data file have, read from its beginning: for completion, so a guess is enough.

import { closeSync, openSync, readSync, statSync } from 'node:fs';

const FIRST_BYTES = 65_536;

/** Dotted paths of the values in the first rows of JSON lines or CSV; none where they cannot be told. */
export function rowKeys(file: string): readonly string[] {
  const head = beginning(file);
  if (head === undefined) return [];
  if (/\.csv$/i.test(file))
    return (head.split(/\r?\n/)[0] ?? '').split(',').map(name => name.replaceAll('"', '').trim());
  if (!/\.jsonl$/i.test(file)) return [];
  const keys = new Set<string>();
  for (const line of head.split('\n').slice(0, -1).slice(0, 5)) {
    try {
      for (const key of dotted(JSON.parse(line), '')) keys.add(key);
    } catch {
      // a row that is no JSON is reported when the data is read
    }
  }
  return [...keys];
}

function dotted(value: unknown, above: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return above === '' ? [] : [above];
  return Object.entries(value).flatMap(([key, inner]) => dotted(inner, above === '' ? key : `${above}.${key}`));
}

function beginning(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return undefined;
    const handle = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(FIRST_BYTES);
      return bytes.toString('utf8', 0, readSync(handle, bytes, 0, FIRST_BYTES, 0));
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}
