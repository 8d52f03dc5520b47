// The bytes of an image that rollouts name. Only files that begin as an image does are given out.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { TriphaseError } from '../../protocol/errors';
import type { ImageBytes, ImageRef } from '../../protocol/query';

const mostBytes = 32 * 2 ** 20;

export function imageBytes({ file, inside }: ImageRef): ImageBytes {
  const refuse = (what: string, remedy?: string) => new TriphaseError('image', what, remedy, { file });
  if (inside !== undefined) throw refuse(`There is nothing named ${inside} in it.`);
  if (!existsSync(file)) throw refuse('The image is not there any more.', 'Look whether its folder was moved.');
  if (statSync(file).size > mostBytes) throw refuse('The image is too large to be shown.');
  const bytes = readFileSync(file);
  const mime = mimeOf(bytes);
  if (mime === undefined) throw refuse('This is not an image that can be shown.', 'PNG, JPEG, WebP, GIF and BMP can.');
  return { mime, base64: bytes.toString('base64') };
}

function mimeOf(bytes: Buffer): string | undefined {
  const begins = (...head: readonly number[]) => head.every((byte, i) => bytes[i] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47)) return 'image/png';
  if (begins(0xff, 0xd8, 0xff)) return 'image/jpeg';
  if (bytes.toString('latin1', 0, 4) === 'GIF8') return 'image/gif';
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return 'image/webp';
  return begins(0x42, 0x4d) && bytes.readUInt32LE(2) === bytes.length ? 'image/bmp' : undefined;
}
