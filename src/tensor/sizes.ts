// What the symbols of dimensions stand for, in one run.

import type { Dim } from './graph';

/** Sizes of symbols, as the dimensions of what is fed show them. */
export function sizesOf(
  fed: Iterable<readonly [dims: readonly Dim[], actual: readonly number[]]>,
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [dims, actual] of fed)
    dims.forEach((d, i) => {
      if (typeof d === 'string' && !/[*+]/.test(d)) sizes.set(d, actual[i] as number);
    });
  return sizes;
}

/** A dimension as a number. @throws an error naming a symbol whose size is missing */
export function sizeOf(dim: Dim, sizes: ReadonlyMap<string, number>): number {
  if (typeof dim === 'number') return dim;
  const factor = (s: string): number => {
    const size = /^\d+$/.test(s) ? Number(s) : sizes.get(s);
    if (size === undefined) throw new Error(`nothing says how large the dimension ${s} is`);
    return size;
  };
  return dim
    .split('+')
    .map(term => term.split('*').reduce((n, s) => n * factor(s), 1))
    .reduce((a, b) => a + b, 0);
}
