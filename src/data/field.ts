// Reads a field of an example from a row, as the curriculum says.

import { Template } from '@huggingface/jinja';
import type { FieldSpec } from '../config/fields';
import type { JsonObject } from './rows';

/** The value in the row; undefined where there is none. Throws where a template fails. */
export type ReadField = (row: JsonObject) => unknown;

/** Without a spec the field is the key of its own name. */
export function compileField(spec: FieldSpec | undefined, name: string): ReadField {
  if (spec === undefined) return row => row[name];
  if (typeof spec === 'string') return row => valueAt(row, spec);
  if ('value' in spec) return () => spec.value;
  if ('template' in spec) {
    const template = new Template(spec.template);
    return row => template.render({ ...row, row });
  }
  const { path, after, match } = spec;
  const pattern = match === undefined ? undefined : new RegExp(match, 'su');
  return row => {
    const value = valueAt(row, path);
    if (after === undefined && pattern === undefined) return value;
    let text = textOf(value);
    if (text !== undefined && after !== undefined) {
      const at = text.lastIndexOf(after);
      text = at < 0 ? undefined : text.slice(at + after.length).trim();
    }
    if (text !== undefined && pattern !== undefined) {
      const found = pattern.exec(text);
      text = found === null ? undefined : (found[1] ?? found[0]);
    }
    return text;
  };
}

/** The keys of a row that a spec reads, to say what it may have meant. */
export function pathOf(spec: FieldSpec | undefined): string | undefined {
  if (typeof spec === 'string') return spec;
  return spec !== undefined && 'path' in spec ? spec.path : undefined;
}

function valueAt(row: JsonObject, path: string): unknown {
  // a key may itself hold dots
  if (Object.hasOwn(row, path)) return row[path];
  let value: unknown = row;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as JsonObject)[part];
  }
  return value;
}

/** A scalar as text; undefined for nothing, lists and objects. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
