// triphase runs: the run folders in a folder, and how each stands.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { TriphaseError } from '../protocol/errors';
import type { RunInfo, RunState } from '../protocol/run';
import { readRunInfo, readRunState } from '../run/folder';
import { parseCommandLine } from './arguments';
import { exitCode } from './exit-codes';
import type { Screen } from './screen';
import { shown } from './shown';
import { table } from './table';

interface ListedRun {
  readonly folder: string;
  readonly info: RunInfo;
  readonly state: RunState;
}

export async function runsCommand(screen: Screen, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(
    { command: 'runs', options: { json: { type: 'boolean' } }, positionals: [], optional: ['FOLDER'] },
    args,
  );
  const parent = path.resolve(positionals[0] ?? 'runs');
  const runs = listRuns(parent);
  if (values.json === true) {
    process.stdout.write(
      `${JSON.stringify(runs.map(({ folder, info, state }) => ({ folder, name: info.name, created: info.created, attempt: info.attempt, state })))}\n`,
    );
    return exitCode.ok;
  }
  if (runs.length === 0) {
    screen.line(`there are no runs in ${shown(parent)}`);
    return exitCode.ok;
  }
  const rows = runs.map(({ folder, info, state }) => [state.kind, stepOf(state), info.name, shown(folder)]);
  const [header = '', ...lines] = table(
    [['state', 'step', 'name', 'folder'], ...rows],
    ['left', 'right', 'left', 'left'],
  );
  screen.line(screen.style('bold', header));
  for (const line of lines) screen.line(line);
  return exitCode.ok;
}

/** The newest first. A folder that is no run, or that cannot be read, is left out. */
function listRuns(parent: string): readonly ListedRun[] {
  let names: readonly string[];
  try {
    names = readdirSync(parent);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error;
    throw new TriphaseError('usage', `The folder cannot be read (${why}).`, 'Name a folder with runs in it.', {
      file: parent,
    });
  }
  return names
    .flatMap((name): readonly ListedRun[] => {
      const folder = path.join(parent, name);
      try {
        return [{ folder, info: readRunInfo(folder), state: readRunState(folder) }];
      } catch {
        return [];
      }
    })
    .toSorted((a, b) => b.info.created.localeCompare(a.info.created));
}

function stepOf(state: RunState): string {
  if ('step' in state) return String(state.step);
  return 'progress' in state && state.progress !== undefined ? `${state.progress.step}/${state.progress.steps}` : '';
}
