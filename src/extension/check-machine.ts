// Check This Machine: what `triphase doctor` finds, as a document.

import { execFile } from 'node:child_process';
import * as vscode from 'vscode';
import { nodeEnvironment } from '../program/node-program';
import { canTrain, program } from './programs';
import type { TriphaseWindow } from './triphase-window';

export async function checkMachine({ context }: TriphaseWindow): Promise<void> {
  const title = vscode.l10n.t('Trying the devices of this machine');
  const found = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    canTrain(context) ? runDoctor(context) : withoutNativeParts(),
  );
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: found });
  await vscode.window.showTextDocument(document, { preview: true });
}

/** Resolves with its output also when it finds fault, which it says there. */
function runDoctor(context: vscode.ExtensionContext): Promise<string> {
  const { node, file } = program(context, 'cli');
  return new Promise(resolve => {
    execFile(
      node,
      [file, 'doctor'],
      { env: nodeEnvironment(process.env), timeout: 300_000 },
      (_error, stdout, stderr) => resolve(`${stdout}${stderr}`),
    );
  });
}

const withoutNativeParts = async (): Promise<string> =>
  vscode.l10n.t(
    'This package of Triphase has no onnxruntime for {0}-{1}: it shows runs and cannot train.',
    process.platform,
    process.arch,
  );
