// SHA-256 of files, as checkpoints carry them.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';

const chunkBytes = 2 ** 20;

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** By name of the file, relative to the folder. */
export async function sumsOf(folder: string, names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const sums: Record<string, string> = {};
  for (const name of names) sums[name] = await sha256(path.join(folder, name));
  return sums;
}

/** The first file that is not as its sum says, or not there. */
export async function wrongSum(folder: string, sums: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const [name, sum] of Object.entries(sums)) {
    const found = await sha256(path.join(folder, name)).catch(() => undefined);
    if (found !== sum) return name;
  }
  return undefined;
}
