// One measured thing, in milliseconds.

export interface Figure {
  readonly what: string;
  readonly medianMs: number;
  /** What is left of it when other work of the machine disturbs least. */
  readonly leastMs: number;
  /** Nineteen of twenty take no longer. */
  readonly p95Ms: number;
  readonly mostMs: number;
  readonly goalMs?: number;
}

export function figureOf(what: string, times: readonly number[], goalMs?: number): Figure {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    what,
    medianMs: round(sorted[sorted.length >> 1] ?? 0),
    leastMs: round(sorted[0] ?? 0),
    p95Ms: round(sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0),
    mostMs: round(sorted.at(-1) ?? 0),
    ...(goalMs === undefined ? {} : { goalMs }),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
