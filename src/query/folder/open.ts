// Whose files a folder holds.

import { statSync } from 'node:fs';
import path from 'node:path';
import { TriphaseError } from '../../protocol/errors';
import { isOurs, ourRecording } from './ours';
import type { Recording } from './recording';
import { trlCompletions, trlRecording } from './trl';
import { verlDumps, verlRecording } from './verl';

export async function openRecording(named: string): Promise<Recording> {
  const folder = path.resolve(named);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new TriphaseError('run-folder', 'There is no such folder.', 'It may have been moved.', { file: folder });
  if (isOurs(folder)) return ourRecording(folder);
  const completions = await trlCompletions(folder);
  if (completions !== undefined) return trlRecording(folder, completions);
  const dumps = await verlDumps(folder);
  if (dumps !== undefined) return verlRecording(folder, dumps);
  throw new TriphaseError(
    'run-folder',
    'There are no rollouts in this folder: no run.json, no completions_*.parquet of TRL and no <step>.jsonl of verl.',
    'Name a run folder, or what TRL (log_completions) or verl (trainer.rollout_data_dir) wrote.',
    { file: folder },
  );
}
