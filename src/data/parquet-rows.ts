// Parquet, a row group at a time. Texts that the file does not call texts stay bytes, so that pictures are not spoiled.

import { createReadStream, statSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { type AsyncBuffer, type Compressors, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { TriphaseError } from '../protocol/errors';
import type { JsonObject, RowBatches } from './rows';

export const isParquet = (head: Uint8Array): boolean => Buffer.from(head.subarray(0, 4)).toString('latin1') === 'PAR1';

/** Rows that are decoded together, so that a file that is one large group is not held whole. */
const BATCH = 1000;

export async function* parquetRows(file: string): RowBatches {
  const source = bytesOf(file);
  let metadata: Awaited<ReturnType<typeof parquetMetadataAsync>>;
  try {
    metadata = await parquetMetadataAsync(source);
  } catch (error) {
    throw unreadable(file, error);
  }
  let number = 0;
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    // a row takes a byte at least: more of them are a size that lies
    if (!(end <= source.byteLength)) throw unreadable(file, `it says that it has ${end} rows or more`);
    for (let from = start; from < end; from += BATCH) {
      const rows = await parquetReadObjects({
        file: source,
        metadata,
        rowStart: from,
        rowEnd: Math.min(from + BATCH, end),
        utf8: false,
        compressors,
      }).catch(error => {
        throw unreadable(file, error);
      });
      yield rows.map(row => ({ values: plain(row) as JsonObject, place: { file, line: ++number } }));
    }
    start = end;
  }
}

function unreadable(file: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return new TriphaseError(
    'data',
    `the Parquet file cannot be read: ${why}`,
    'Write it anew with another compression, Snappy for one, or as JSON lines.',
    { file },
  );
}

function bytesOf(file: string): AsyncBuffer {
  return {
    byteLength: statSync(file).size,
    async slice(start, end) {
      const {
        buffer: memory,
        byteOffset,
        length,
      } = await buffer(createReadStream(file, { start, ...(end === undefined ? {} : { end: end - 1 }) }));
      return memory.slice(byteOffset, byteOffset + length) as ArrayBuffer;
    },
  };
}

/** Snappy is hyparquet's own. */
const compressors: Compressors = {
  GZIP: input => zlib.gunzipSync(input),
  BROTLI: input => zlib.brotliDecompressSync(input),
  ZSTD: input => {
    // of Node 22.15 and later
    const inflate = (zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }).zstdDecompressSync;
    if (inflate === undefined)
      throw new Error(`it is compressed with Zstandard, which Node ${process.versions.node} does not read`);
    return inflate(input);
  },
};

/** As JSON would have it: whole numbers and dates are numbers and texts. Bytes stay. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
