// The safetensors format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then
// the data (github.com/huggingface/safetensors). Tensors are read as float32 from F32, F16 and BF16 and written as F32.
// Read and written tensor by tensor: a model may be larger than one buffer can be.

import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { TriphaseError } from '../protocol/errors';

export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

const headerSchema = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.string(),
      shape: z.array(z.int().nonnegative()),
      data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
    }),
    z.record(z.string(), z.string()), // __metadata__
  ]),
);

interface Entry {
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly dims: readonly number[];
  /** Byte offsets in the file. */
  readonly begin: number;
  readonly end: number;
}

const bytesPerElement = { F32: 4, F16: 2, BF16: 2 } as const;

/** Reads all tensors of a file, or those that `wanted` names. */
export async function readSafetensors(
  file: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Map<string, Tensor>> {
  const handle = await openOrExplain(file);
  try {
    const entries = await readHeader(handle, file);
    const tensors = new Map<string, Tensor>();
    for (const [name, entry] of entries) if (wanted(name)) tensors.set(name, await readTensor(handle, entry));
    return tensors;
  } finally {
    await handle.close();
  }
}

/** Writes float32 tensors, in the order given; `metadata.format` "pt" is what transformers asks for. */
export async function writeSafetensors(
  file: string,
  tensors: Iterable<readonly [string, Tensor]>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const list = [...tensors];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dims, data }] of list) {
    header[name] = { dtype: 'F32', shape: dims, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // the data begin at a multiple of 8 bytes; the header is padded with spaces
  const length = Math.ceil(json.length / 8) * 8;
  const head = Buffer.alloc(8 + length, ' ');
  head.writeBigUInt64LE(BigInt(length), 0);
  json.copy(head, 8);
  const handle = await open(file, 'w');
  try {
    await writeAll(handle, head);
    for (const [, { data }] of list)
      await writeAll(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openOrExplain(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw new TriphaseError(
      'model',
      `The tensor file cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
      'Complete the model folder.',
      { file },
    );
  }
}

async function readHeader(handle: FileHandle, file: string): Promise<Map<string, Entry>> {
  const broken = (why: string): TriphaseError =>
    new TriphaseError('model', `This is not a complete safetensors file: ${why}.`, 'Download the file again.', {
      file,
    });
  const status = await handle.stat();
  const { size } = status;
  if (!status.isFile()) throw broken('it is not a file');
  if (size < 8) throw broken(`it has ${size} bytes`);
  const prefix = new Uint8Array(8);
  await readAll(handle, prefix, 0);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  // 100 MB is the format's own limit
  if (length > 100e6 || 8 + length > size) throw broken(`its header would have ${length} bytes`);
  const bytes = new Uint8Array(length);
  await readAll(handle, bytes, 8);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw broken('its header is not JSON');
  }
  const header = headerSchema.safeParse(json);
  if (!header.success) throw broken('its header does not list tensors');

  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(header.data)) {
    if (name === '__metadata__') continue;
    if (!Array.isArray(value['shape'])) throw broken(`the entry of ${name} has no shape`);
    const { dtype, shape, data_offsets } = value as { dtype: string; shape: number[]; data_offsets: [number, number] };
    if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16')
      throw new TriphaseError(
        'model',
        `The tensor ${name} has the type ${dtype}; F32, F16 and BF16 can be read.`,
        'Use the folder of a model that is not quantised.',
        { file },
      );
    const begin = 8 + length + data_offsets[0];
    const end = 8 + length + data_offsets[1];
    if (end > size) throw broken(`it ends within the tensor ${name}`);
    if (end - begin !== shape.reduce((a, b) => a * b, 1) * bytesPerElement[dtype])
      throw broken(`the size of ${name} does not fit its shape`);
    entries.set(name, { dtype, dims: shape, begin, end });
  }
  return entries;
}

async function readTensor(handle: FileHandle, { dtype, dims, begin, end }: Entry): Promise<Tensor> {
  if (dtype === 'F32') {
    const data = new Float32Array((end - begin) / 4);
    await readAll(handle, new Uint8Array(data.buffer), begin);
    return { dims, data };
  }
  const halves = new Uint16Array((end - begin) / 2);
  await readAll(handle, new Uint8Array(halves.buffer), begin);
  const data = new Float32Array(halves.length);
  if (dtype === 'BF16') {
    // a bfloat16 is the upper half of a float32
    const bits = new Uint32Array(data.buffer);
    for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
  } else {
    for (let i = 0; i < halves.length; i++) data[i] = float16(halves[i] as number);
  }
  return { dims, data };
}

/** IEEE 754 binary16. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** One read or write call takes less than 2 GiB. */
const chunkBytes = 1 << 30;

async function readAll(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, Math.min(chunkBytes, into.length - done), position + done);
    if (bytesRead === 0) throw new Error('unexpected end of file');
    done += bytesRead;
  }
}

async function writeAll(handle: FileHandle, from: Uint8Array): Promise<void> {
  let done = 0;
  while (done < from.length) {
    const { bytesWritten } = await handle.write(from, done, Math.min(chunkBytes, from.length - done));
    done += bytesWritten;
  }
}
