// Images as rows have them: paths, bytes (Hugging Face's {bytes, path} in Parquet), base64 and data URLs. An example knows
// paths alone, so what stands in a row is written into a cache, once, under the hash of its bytes.

import { hash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { textOf } from './field';
import type { JsonObject } from './row';

export interface ImageFolders {
  readonly image_folder: string;
  readonly image_cache: string;
}

/** Absolute paths of all images of a value; throws where an image can be neither found nor written. */
export function imagePaths(value: unknown, folders: ImageFolders): readonly string[] {
  return images(value).map(image => {
    if (typeof image !== 'string') return cached(image, folders.image_cache);
    if (/^https?:/i.test(image))
      throw new Error(`the image ${image.slice(0, 80)} is at a web address: download it and name the file`);
    if (image.startsWith('file:')) return fileURLToPath(image);
    const file = path.resolve(folders.image_folder, image);
    // a path as Windows writes it
    const other = image.includes('\\') ? path.resolve(folders.image_folder, image.replaceAll('\\', '/')) : file;
    return other !== file && !existsSync(file) && existsSync(other) ? other : file;
  });
}

type Image = string | Uint8Array;

function images(value: unknown): readonly Image[] {
  if (value === undefined || value === null || value === '') return [];
  if (value instanceof Uint8Array) return value.length === 0 ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(images);
  if (typeof value === 'object') {
    const { bytes, path: file, url } = value as JsonObject;
    const held = typeof bytes === 'string' ? (decoded(bytes) ?? bytes) : bytes;
    if (held !== undefined && held !== null) return Array.isArray(held) ? [Uint8Array.from(held)] : images(held);
    if (file !== undefined || url !== undefined) return images(file ?? url);
    return 'bytes' in value ? [] : Object.values(value).flatMap(images);
  }
  const text = textOf(value);
  return text === undefined ? [] : [decoded(text) ?? text];
}

/** What a data URL or base64 holds; undefined for other texts, as paths are. */
function decoded(text: string): Uint8Array | undefined {
  const url = /^data:[^,]*;base64,/i.exec(text.slice(0, 200));
  if (url !== null) return Buffer.from(text.slice(url[0].length), 'base64');
  // no path is so long, and no other text is base64 and begins as a picture does
  if (text.length < 64 || !/^[\w+/=\s-]+$/.test(text.slice(0, 4096))) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return formatOf(bytes) === undefined ? undefined : bytes;
}

function cached(bytes: Uint8Array, folder: string): string {
  const name = `${hash('sha256', bytes, 'hex').slice(0, 40)}.${formatOf(bytes) ?? 'bin'}`;
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  // by rename, because two runs may read the same data
  const temporary = path.join(folder, `.${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, file);
  return file;
}

/** By the first bytes. */
function formatOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(12, bytes.length)).toString('latin1');
  if (head.startsWith('\x89PNG')) return 'png';
  if (head.startsWith('\xff\xd8\xff')) return 'jpg';
  if (head.startsWith('GIF8')) return 'gif';
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'webp';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'tiff';
  if (/^ftyp(avif|heic|mif1)/.test(head.slice(4))) return 'avif';
  return head.startsWith('BM') ? 'bmp' : undefined;
}
