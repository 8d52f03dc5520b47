// Gives inputs to a border, one after the other, and watches what comes of each: how it ends, how long it computes, and
// what is left in memory and in the folder for temporary files.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TriphaseError } from '../../src/protocol/errors';
import { Random } from '../../src/protocol/random';
import type { Border, OpenBorder } from './border';

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
    let quarter = await memory();
    for (let i = from; i < from + count; i++) {
      let ms = await computed(() => given(take, border, seed, i, faults).then(refusal => (refused += refusal)));
      // others on the machine make an input slow once, and not again
      if (ms > 1000 * mostSeconds)
        ms = Math.min(ms, await computed(() => given(take, border, seed, i, faults).then(() => undefined)));
      if (ms > slowestMs) [slowestMs, slowest] = [ms, i];
      if (ms > 1000 * mostSeconds) faults.push(`${border.name} ${i} computed for ${(ms / 1000).toFixed(1)} s`);
      if (i - from === count >> 2) quarter = await memory();
    }
    const end = await memory();
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
    .filter(name => /^(fuzzed|secret|passwd)/.test(name))
    .toSorted()
    .join();

/** Of processor time, in milliseconds. */
async function computed(act: () => Promise<unknown>): Promise<number> {
  const began = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

/** @returns 1 where the input was refused */
async function given(
  take: OpenBorder['take'],
  border: Border,
  seed: number,
  i: number,
  faults: string[],
): Promise<0 | 1> {
  try {
    await take(new Random(seed, border.name, i), i);
    return 0;
  } catch (error) {
    if (error instanceof TriphaseError && error.message.length > 5) return 1;
    faults.push(`${border.name} ${i} breaks: ${error instanceof Error ? error.stack : String(error)}`);
    return 0;
  }
}

async function memory(): Promise<{ readonly held: number; readonly rss: number }> {
  // what other threads and the disk have given back is let go a turn later
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { held: (heapUsed + arrayBuffers) / 2 ** 20, rss: rss / 2 ** 20 };
}
