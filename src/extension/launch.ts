// Starts runs: a folder that shows as a row at once, then a host of its own that outlives the window.

import path from 'node:path';
import * as vscode from 'vscode';
import { TriphaseError } from '../protocol/errors';
import { program, refuseWithoutNativeParts } from './programs';
import { refuseUntrusted } from './refusals';
import { startDetached } from './start-host';
import type { TriphaseWindow } from './triphase-window';
import type { WatchedRun } from './watched-run';

export interface RunWish {
  readonly config: vscode.Uri;
  readonly phase?: string;
  readonly quick?: boolean;
  readonly sets?: readonly string[];
}

export const logFile = (folder: string): string => path.join(folder, 'host.log');

export async function startRun(window: TriphaseWindow, wish: RunWish): Promise<WatchedRun> {
  refuseUntrusted();
  refuseWithoutNativeParts(window.context);
  await saved(wish.config);
  const started = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Starting {0}', path.basename(wish.config.fsPath)),
  };
  const run = await vscode.window.withProgress(started, async () => {
    const folder = await makeFolder(wish);
    const added = await window.runs.add(folder);
    await serve(window, added);
    return added;
  });
  window.runs.choose(run);
  if (vscode.workspace.getConfiguration('triphase', wish.config).get('openDashboardOnRun', true))
    window.panels.show({ view: 'dashboard', folders: [run.folder] }, vscode.ViewColumn.Beside);
  return run;
}

/** Starts a host for a run that has none. @param checkpoint its name; the latest when absent */
export async function serve(window: TriphaseWindow, run: WatchedRun, checkpoint?: string): Promise<void> {
  refuseUntrusted();
  refuseWithoutNativeParts(window.context);
  const from = checkpoint === undefined ? [] : ['--from', checkpoint];
  const child = startDetached(
    program(window.context, 'cli'),
    ['resume', run.folder, ...from],
    run.folder,
    logFile(run.folder),
  );
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', error =>
      reject(new TriphaseError('usage', vscode.l10n.t('The host cannot be started: {0}.', error.message))),
    );
  });
  run.launched(true);
  child.once('exit', () => {
    run.launched(false);
    void run.refresh();
  });
}

/** What is run is what stands in the editor. */
async function saved(uri: vscode.Uri): Promise<void> {
  const open = vscode.workspace.textDocuments.find(document => document.uri.toString() === uri.toString());
  if (open?.isDirty === true) await open.save();
}

async function makeFolder({ config: uri, phase, quick = false, sets = [] }: RunWish): Promise<string> {
  const [{ loadCurriculum }, { writeResolved }, { createDatedRunFolder }] = await Promise.all([
    import('../config/curriculum'),
    import('../config/resolved'),
    import('../run/folder'),
  ]);
  const { config } = loadCurriculum(uri.fsPath, sets);
  return createDatedRunFolder(config.run.folder, {
    name: config.name,
    configFile: uri.fsPath,
    sets,
    resolved: writeResolved(config),
    quick,
    ...(phase === undefined ? {} : { onlyPhase: phase }),
    ...(config.run.from === undefined ? {} : { from: config.run.from }),
  });
}
