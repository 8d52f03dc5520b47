// Whether two values are written alike, part by part: then they are equal, also where nothing can be worked out.

import type { MathValue } from './value';

export const identical = (a: MathValue, b: MathValue): boolean => same(a, b);

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((part, i) => same(part, b[i]));
  // spaces, and commands of one meaning, are another writing of the same
  const keys = (value: object) => Object.keys(value).filter(key => key !== 'written');
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  return keys(a).length === keys(b).length && keys(a).every(key => same(left[key], right[key]));
}
