// When two examples are the same: the same words, but for case, spaces and marks at their end, of the same images.

import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Example } from '../protocol/example';
import type { Hash64 } from './columns';

export function hash64(text: string): Hash64 {
  const digest = hash('sha1', text, 'buffer');
  return { high: digest.readUInt32LE(0), low: digest.readUInt32LE(4) };
}

/**
 * Of the words and of the sizes of the images, which cost no reading of them. Words are the question and its options, and
 * the scene where it stands for the image.
 */
export function likenessOf({ question, choices = [], scene = '', images }: Example): Hash64 {
  const words = [question, ...choices, images.length === 0 ? scene : ''].map(normalisedWords);
  return hash64(JSON.stringify([words, images.map(fileSize)]));
}

function normalisedWords(text: string): string {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll(/[‘’]/g, "'")
      .replaceAll(/[“”]/g, '"')
      .replaceAll(/\s+/g, ' ')
      // 3 + 4 and 3+4, "what ?" and "what?"
      .replaceAll(/ ?([^\p{L}\p{N}\s]) ?/gu, '$1')
      .replace(/[\s.?!:;]+$/, '')
      .trim()
  );
}

/** Examples that are likely the same are compared by what is in their image files. */
export class ImageHashes {
  private readonly known = new Map<string, string>();

  of(file: string): string {
    let known = this.known.get(file);
    if (known === undefined) {
      known = hash('sha256', readFileSync(file), 'hex');
      this.known.set(file, known);
    }
    return known;
  }

  /** Of an example with all its images. */
  whole(likeness: Hash64, { images }: Example): Hash64 {
    if (images.length === 0) return likeness;
    return hash64(`${likeness.high} ${likeness.low} ${images.map(file => this.of(file)).join(' ')}`);
  }
}

/** Bytes; 0 for a file that is not there, or cannot be there by its name, which is told elsewhere. */
export function fileSize(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
