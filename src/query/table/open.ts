// DuckDB where it is there, and the reader without native parts where it is not.

import { availableParallelism } from 'node:os';
import { openPlainTable } from './plain';
import type { Reader } from './table';

export type ReaderName = 'duckdb' | 'plain';

/** Of each folder that is open; there are a few at most. */
const memoryMiB = 200;
const mostThreads = 4;

/** A limit that whoever started the process gave it. */
const given = (name: string): number | undefined => {
  const number = Number(process.env[name]);
  return Number.isInteger(number) && number > 0 ? number : undefined;
};

export async function openReader(asked: ReaderName = 'duckdb'): Promise<Reader> {
  const without = (why: string): Reader => ({
    open: async () => openPlainTable(),
    notes: [`${why}: rollouts are read without DuckDB, which is slower in runs of many thousand.`],
  });
  if (asked === 'plain') return without('As was asked for');
  try {
    const { openDuckDbTable } = await import('./duckdb');
    const limits = {
      memoryMiB: given('TRIPHASE_QUERY_MEMORY_MIB') ?? memoryMiB,
      threads: given('TRIPHASE_QUERY_THREADS') ?? Math.min(mostThreads, availableParallelism()),
    };
    return { open: folders => openDuckDbTable(folders, limits), notes: [] };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return without('This package has no native parts');
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_DLOPEN_FAILED');
