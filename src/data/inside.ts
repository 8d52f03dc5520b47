// Whether a file lies in a folder when all links are followed: rows name files, and a link may lead anywhere.

import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';

export class Inside {
  /** One that is not there yet, as a cache before its first image, is looked for again. */
  private readonly roots: { readonly folder: string; real: string | undefined }[];
  /** Where folders really are: of many files few have another. */
  private readonly folders = new Map<string, string | undefined>();

  constructor(folders: readonly string[]) {
    this.roots = folders.map(folder => ({ folder, real: undefined }));
  }

  look(file: string): 'inside' | 'outside' | 'missing' {
    const real = this.realPathOf(file);
    if (real === undefined) return 'missing';
    for (const root of this.roots) {
      root.real ??= rootOf(root.folder);
      if (root.real === undefined) continue;
      if (real === root.real || real.startsWith(root.real.endsWith(path.sep) ? root.real : root.real + path.sep))
        return 'inside';
    }
    return 'outside';
  }

  private realPathOf(file: string): string | undefined {
    let isLink: boolean;
    try {
      isLink = lstatSync(file).isSymbolicLink();
    } catch {
      // not there, or no name that a file could have
      return undefined;
    }
    if (isLink) return realPath(file);
    const folder = path.dirname(file);
    if (!this.folders.has(folder)) this.folders.set(folder, realPath(folder));
    const real = this.folders.get(folder);
    return real === undefined ? undefined : path.join(real, path.basename(file));
  }
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}

/** A snapshot of Hugging Face's hub is made of links into the blobs of its repository. */
function rootOf(folder: string): string | undefined {
  const real = realPath(folder);
  if (real === undefined) return undefined;
  const parts = real.split(path.sep);
  const at = parts.findIndex((part, i) => part === 'snapshots' && /^(datasets|models)--/.test(parts[i - 1] ?? ''));
  return at < 0 ? real : parts.slice(0, at).join(path.sep);
}
