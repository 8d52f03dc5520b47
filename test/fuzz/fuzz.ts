// Gives inputs to a border, one after the other, and watches what comes of each: how it ends, how long it computes, and
// what is left in memory and in the folder for temporary files.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TriphaseError } from '../../src/protocol/errors';
import { Random } from '../../src/protocol/random';
import type { Border } from './border';

/** Of one input, by the processor's clock: what takes longer hangs, or soon will. */
const mostSeconds = 1;
/** A part of a Parquet file that nothing comes of is ended after so long here, so that such an input counts as the rest. */
const parquetSeconds = '0.5';

export interface FuzzReport {
  readonly border: string;
  readonly inputs: number;
  readonly refused: number;
  /** Of processor time, for the slowest input. */
  readonly slowestMs: number;
  readonly slowest: number;
  /** Heap and buffers after a collection, MiB: after a quarter of the inputs, and after the last. */
  readonly heldMiB: readonly [number, number];
  readonly rssMiB: readonly [number, number];
  readonly faults: readonly string[];
}

export interface FuzzOptions {
  readonly seed?: number;
  /** The first input, and how many. */
  readonly from?: number;
  readonly count: number;
}

export async function fuzz(border: Border, { seed = 1, from = 0, count }: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'triphase-fuzz-'));
  const patience = process.env['TRIPHASE_PARQUET_SECONDS'];
  process.env['TRIPHASE_PARQUET_SECONDS'] = parquetSeconds;
  const faults: string[] = [];
  let [refused, slowestMs, slowest] = [0, 0, from];
  try {
    const { take, close } = await border.open(folder);
    const beside = besides(folder);
    let quarter = memory();
    for (let i = from; i < from + count; i++) {
      const began = process.cpuUsage();
      try {
        await take(new Random(seed, border.name, i), i);
      } catch (error) {
        if (error instanceof TriphaseError && error.message.length > 5) refused += 1;
        else faults.push(`${border.name} ${i} breaks: ${error instanceof Error ? error.stack : String(error)}`);
      }
      const { user, system } = process.cpuUsage(began);
      const ms = (user + system) / 1000;
      if (ms > slowestMs) [slowestMs, slowest] = [ms, i];
      if (ms > 1000 * mostSeconds) faults.push(`${border.name} ${i} computed for ${(ms / 1000).toFixed(1)} s`);
      if (i - from === count >> 2) quarter = memory();
    }
    const end = memory();
    await close?.();
    if (besides(folder) !== beside) faults.push(`${border.name} leaves something beside its folder`);
    return {
      border: border.name,
      inputs: count,
      refused,
      slowestMs,
      slowest,
      heldMiB: [quarter.held, end.held],
      rssMiB: [quarter.rss, end.rss],
      faults,
    };
  } finally {
    if (patience === undefined) delete process.env['TRIPHASE_PARQUET_SECONDS'];
    else process.env['TRIPHASE_PARQUET_SECONDS'] = patience;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What a path that leaves its folder would have left. */
const besides = (folder: string): string =>
  readdirSync(path.dirname(folder))
    .filter(name => /fuzz|secret|passwd/.test(name))
    .toSorted()
    .join();

function memory(): { readonly held: number; readonly rss: number } {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { held: (heapUsed + arrayBuffers) / 2 ** 20, rss: rss / 2 ** 20 };
}
