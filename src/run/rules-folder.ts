// rules/<number>.yaml: every version of the reward rules that a run has had, and rules/<hash>.ts the scripts that they
// name, as they were. So a resume scores as the run did, whatever became of the files that the config names.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TriphaseError } from '../protocol/errors';
import { makeFolderIn, writeFileAtomic } from './atomic';

/** Relative to the run folder. */
export const rulesFile = (version: number): string => `rules/${version}.yaml`;

export function writeRulesFile(folder: string, version: number, text: string): void {
  makeFolderIn(folder, 'rules');
  writeFileAtomic(path.join(folder, rulesFile(version)), text);
}

export function readRulesFile(folder: string, version: number): string {
  const file = path.join(folder, rulesFile(version));
  if (existsSync(file)) return readFileSync(file, 'utf8');
  throw new TriphaseError(
    'run-folder',
    `Version ${version} of the reward rules is gone, and the run goes on with it.`,
    'Take rules/ back from a copy of the run folder.',
    { file },
  );
}

/** Keeps a script beside the rules; returns its name there. Equal scripts are one file. */
export function keepScript(folder: string, file: string): string {
  const bytes = readFileSync(file);
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}${path.extname(file)}`;
  const kept = path.join(makeFolderIn(folder, 'rules'), name);
  if (!existsSync(kept)) writeFileAtomic(kept, bytes);
  return name;
}
