// Failures that a person meets: each told once, with its reason and what can be done.

import * as vscode from 'vscode';
import { describe, TriphaseError } from '../protocol/errors';

export function refuseUntrusted(): void {
  if (vscode.workspace.isTrusted) return;
  throw new TriphaseError(
    'usage',
    vscode.l10n.t('This workspace is not trusted: runs can be looked at and not started.'),
    vscode.l10n.t('Trust it by the command Manage Workspace Trust.'),
  );
}

/** Shows an error; where it has a place in a file, with the way there. */
export async function showError(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (!(error instanceof TriphaseError)) {
    const showLog = vscode.l10n.t('Show Log');
    const chosen = await vscode.window.showErrorMessage(`Triphase: ${describe(error)}`, showLog);
    if (chosen === showLog) log.show();
    return;
  }
  const { place, message, remedy } = error;
  const text = remedy === undefined ? message : `${message} ${remedy}`;
  const go = vscode.l10n.t('Go There');
  const isFile = place?.line !== undefined;
  const chosen = await vscode.window.showErrorMessage(`Triphase: ${text}`, ...(isFile ? [go] : []));
  if (chosen !== go || place?.line === undefined) return;
  const at = new vscode.Position(place.line - 1, Math.max(0, (place.column ?? 1) - 1));
  await vscode.window.showTextDocument(vscode.Uri.file(place.file), { selection: new vscode.Range(at, at) });
}
