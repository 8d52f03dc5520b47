// A run folder of ours: the files that its current step events name.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { wholeParquet } from '../../parquet/read';
import type { TokenRecord } from '../../protocol/query';
import type { RunProgress } from '../../protocol/run-progress';
import { canIndex, compactRun } from '../../run/compaction';
import { readRunInfo } from '../../run/folder';
import { readIndexRows } from '../../run/index-rows';
import { leaseHolder } from '../../run/lease';
import { indexFolder } from '../../run/segments';
import type { About, Recording } from './recording';
import { RunLog } from './run-log';

export const isOurs = (folder: string): boolean => existsSync(path.join(folder, 'run.json'));

export function ourRecording(folder: string): Recording {
  const log = new RunLog(folder);
  return {
    folder,
    recordedBy: 'triphase',
    indexFolder: indexFolder(folder),
    // its host does it while it runs
    compact: async () => {
      if (leaseHolder(folder) !== undefined || !canIndex(folder)) return false;
      await compactRun(folder, { all: true, holder: false });
      return true;
    },
    files: async () => (await log.read()).files,
    rows: async file => ({ ...(await readIndexRows(folder, file)), unreadable: [] }),
    tokens: async (file, group, sample) => tokensIn(path.join(folder, file), group, sample),
    about: async () => about(folder, (await log.read()).progress),
    curves: async () => (await log.read()).curves.shown(folder),
  };
}

function about(folder: string, progress: RunProgress): About {
  const info = readRunInfo(folder);
  const { state } = progress;
  const ended = state.kind === 'finished' || state.kind === 'stopped' || state.kind === 'failed';
  const alive = ended || leaseHolder(folder) !== undefined;
  return {
    name: info.name,
    info,
    state: alive ? state : { kind: 'lost', step: progress.step },
    phases: progress.phases.map(({ phase }) => phase),
    notes: [],
  };
}

async function tokensIn(file: string, group: number, sample: number): Promise<TokenRecord | null> {
  const rows = await wholeParquet(file);
  const row = rows.find(one => one['group'] === group && one['sample'] === sample);
  if (row === undefined) return null;
  const numbers = (name: string): readonly number[] | null => {
    const value = row[name];
    return Array.isArray(value) ? value.map(Number) : null;
  };
  const ids = numbers('completion_ids');
  if (ids === null) return null;
  return {
    ids,
    offsets: numbers('offsets'),
    logprobs: numbers('logprobs'),
    trainLogprobs: numbers('train_logprobs'),
    refLogprobs: numbers('ref_logprobs'),
    entropy: numbers('entropy'),
    alternatives: alternatives(row['alternative_ids'], row['alternative_logprobs']),
  };
}

function alternatives(ids: unknown, logprobs: unknown): TokenRecord['alternatives'] {
  if (!Array.isArray(ids) || !Array.isArray(logprobs)) return null;
  return ids.map((all: unknown, token) => {
    const logprobsHere: unknown = logprobs[token];
    if (!Array.isArray(all) || !Array.isArray(logprobsHere)) return [];
    return all.map((id: unknown, i) => ({ id: Number(id), text: null, logprob: Number(logprobsHere[i]) }));
  });
}
