// Bins of a histogram, from what a reader counted: equal widths from the least value to the greatest.

import type { Histogram } from '../../protocol/query';

export interface Counted {
  readonly low: number;
  readonly high: number;
  readonly bins: number;
  /** Bin and count. */
  readonly counts: readonly (readonly [number, number])[];
}

/** `counted`: undefined where no value is recorded. */
export function bins(column: string, counted: Counted | undefined, notRecorded: number): Histogram {
  if (counted === undefined) return { column, edges: [], counts: [], notRecorded };
  const { low, high } = counted;
  // all values are one: there is nothing to divide
  if (low === high) {
    const all = counted.counts.reduce((sum, [, count]) => sum + count, 0);
    return { column, edges: [low, high], counts: [all], notRecorded };
  }
  const counts = Array.from({ length: counted.bins }, () => 0);
  for (const [bin, count] of counted.counts) counts[bin] = (counts[bin] ?? 0) + count;
  const edges = Array.from({ length: counted.bins + 1 }, (_, i) => low + ((high - low) * i) / counted.bins);
  return { column, edges, counts, notRecorded };
}
