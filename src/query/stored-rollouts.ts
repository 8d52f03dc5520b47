// Stored rollouts as rules are asked about them: those of our run folders, and the completions that TRL's trainer logs.
// What a file does not hold is left out, never made up.

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import type { RuleSample } from '../reward/sample';
import { readEvents } from '../run/event-log';
import { currentRollouts, readRollouts } from '../run/rollouts';
import { grouped } from './grouped';

export interface StoredGroup {
  /** Of the step, relative to the folder that was named. */
  readonly file: string;
  readonly step: number;
  readonly phase: string;
  readonly samples: readonly RuleSample[];
  /** What was paid then, where it was written down. */
  readonly rewards: readonly (number | undefined)[];
  readonly scores: readonly Readonly<Record<string, number | null>>[];
}

export interface StoredRollouts {
  readonly files: readonly string[];
  readonly read: (file: string) => Promise<readonly StoredGroup[]>;
}

/** Finds the fields of an example that a rollout does not keep: its choices, kind and caption. */
export type ExampleOf = (source: string, id: string) => Example | undefined;

export async function storedRollouts(folder: string, exampleOf: ExampleOf): Promise<StoredRollouts> {
  if (existsSync(path.join(folder, 'run.json'))) {
    return {
      files: currentRollouts(readEvents(folder).events),
      read: async file => ourGroups(file, await readRollouts(folder, file), exampleOf),
    };
  }
  const inside = existsSync(path.join(folder, 'completions')) ? path.join(folder, 'completions') : folder;
  const names = existsSync(inside) ? await readdir(inside) : [];
  const files = names.filter(name => /^completions_\d+\.parquet$/.test(name)).toSorted();
  if (files.length === 0)
    throw new TriphaseError(
      'run-folder',
      'This is neither a run folder (run.json) nor one of TRL (completions/completions_*.parquet).',
      'Name a run, or the output folder of a TRL trainer with log_completions.',
      { file: folder },
    );
  return { files, read: async file => trlGroups(file, await readTrl(path.join(inside, file))) };
}

function ourGroups(
  file: string,
  records: Awaited<ReturnType<typeof readRollouts>>,
  exampleOf: ExampleOf,
): readonly StoredGroup[] {
  const groups = grouped(records, record => record.group);
  return [...groups.values()].map(group => {
    const [first] = group;
    return {
      file,
      step: first!.step,
      phase: first!.phase,
      samples: group.map(record => ({
        completion: record.completion,
        example: exampleOf(record.source, record.example) ?? {
          id: record.example,
          source: record.source,
          question: record.prompt,
          answer: record.gold,
          answerKind: 'string',
          images: record.images,
        },
        tokens: record.completion_ids.length,
        truncated: record.truncated,
      })),
      rewards: group.map(record => record.reward ?? undefined),
      scores: group.map(record => record.scores),
    };
  });
}

type Row = Readonly<Record<string, unknown>>;

async function readTrl(file: string): Promise<readonly Row[]> {
  return (await parquetReadObjects({ file: await asyncBufferFromFile(file) })) as readonly Row[];
}

const OWN = new Set(['step', 'prompt', 'completion', 'advantage']);
const GOLD = ['answer', 'solution', 'ground_truth', 'gold'];

/** TRL has no column for the group: the completions of one prompt stand together. */
function trlGroups(file: string, rows: readonly Row[]): readonly StoredGroup[] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0]?.['prompt'] === row['prompt']) last!.push(row);
    else groups.push([row]);
  }
  return groups.map(group => {
    const step = Number(group[0]!['step'] ?? 0);
    return {
      file,
      step,
      phase: '',
      samples: group.map((row, i): RuleSample => {
        const gold = GOLD.map(name => row[name]).find(value => value !== undefined && value !== null);
        return {
          completion: String(row['completion'] ?? ''),
          example: {
            id: `${step}-${i}`,
            source: 'trl',
            question: String(row['prompt'] ?? ''),
            answer: String(gold ?? ''),
            answerKind: typeof gold === 'number' || typeof gold === 'bigint' ? 'number' : 'string',
            images: [],
          },
          tokens: undefined,
          truncated: false,
        };
      }),
      rewards: group.map(() => undefined),
      scores: group.map(row =>
        Object.fromEntries(
          Object.entries(row).flatMap(([name, value]) =>
            !OWN.has(name) && (typeof value === 'number' || value === null) ? [[name, value] as const] : [],
          ),
        ),
      ),
    };
  });
}
