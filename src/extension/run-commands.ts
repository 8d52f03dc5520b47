// Run, resume, stop: what the palette and the rows of the Runs view do to runs.

import * as vscode from 'vscode';
import { TriphaseError } from '../protocol/errors';
import type { Arguments } from './commands';
import { chooseCurriculum } from './curriculum-files';
import { serve, startRun } from './launch';
import type { TriphaseWindow } from './triphase-window';
import type { WatchedRun } from './watched-run';

export async function runCurriculum(window: TriphaseWindow, [argument]: Arguments): Promise<void> {
  const config = await curriculum(argument);
  if (config !== undefined) await startRun(window, { config });
}

export async function runQuick(window: TriphaseWindow, [argument]: Arguments): Promise<void> {
  const config = await curriculum(argument);
  if (config !== undefined) await startRun(window, { config, quick: true });
}

export async function resume(window: TriphaseWindow, run: WatchedRun): Promise<void> {
  await serve(window, run);
}

/** What came after the last checkpoint is lost, so the person is asked. */
export async function kill(run: WatchedRun): Promise<void> {
  const stop = vscode.l10n.t('Stop at Once');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('Stop {0} in the middle of its step?', run.info.name),
    {
      modal: true,
      detail: vscode.l10n.t('It can be resumed from its last checkpoint; the steps after that are done again.'),
    },
    stop,
  );
  if (chosen === stop) await run.stop('now');
}

async function curriculum(argument: unknown): Promise<vscode.Uri | undefined> {
  const found = await chooseCurriculum(argument);
  if (found !== undefined) return found;
  throw new TriphaseError(
    'usage',
    vscode.l10n.t('There is no curriculum file in this workspace.'),
    vscode.l10n.t('Write one by the command New Curriculum.'),
  );
}
