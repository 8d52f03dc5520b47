// A run folder may come from anyone, and a resume writes into it: a link in it would have other files written, cut or
// removed. So nothing that is written to may be one.

import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { TriphaseError } from '../protocol/errors';

/** Folders with files that are written to again, and not only made. */
const looked = ['attempts', 'pass-rates', 'rules'];

/** Throws where the run folder, itself wherever it lies, has links in it instead of files and folders of its own. */
export function refuseLinks(folder: string): void {
  for (const below of ['.', ...looked]) {
    const inside = path.join(folder, below);
    if (lstatSync(inside, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
    for (const entry of readdirSync(inside, { withFileTypes: true }))
      if (!entry.isFile() && !entry.isDirectory())
        throw new TriphaseError(
          'run-folder',
          `${path.join(below, entry.name)} is ${entry.isSymbolicLink() ? 'a link' : 'no file'}: a run writes into its own folder alone.`,
          'Put the file or folder itself there, or move the whole run to the other disk.',
          { file: path.join(inside, entry.name) },
        );
  }
}
