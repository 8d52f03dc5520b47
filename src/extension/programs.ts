// The programs of the package, and the Node that runs them.

import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Program } from '../program/node-program';
import { TriphaseError } from '../protocol/errors';

/** A bundle of dist, to be run by the Node that the settings name. */
export function program(context: vscode.ExtensionContext, name: 'cli' | 'query' | 'session' | 'trial'): Program {
  const configured = vscode.workspace.getConfiguration('triphase').get<string>('nodePath', '').trim();
  if (configured !== '' && !existsSync(configured))
    throw new TriphaseError(
      'usage',
      vscode.l10n.t('There is no {0}, which the setting triphase.nodePath names.', configured),
      vscode.l10n.t('Correct it, or empty it to take the Node.js of this editor.'),
    );
  return {
    node: configured === '' ? process.execPath : configured,
    file: path.join(context.extensionPath, 'dist', `${name}.js`),
  };
}

/** A package without native parts reads runs and cannot train. */
export function refuseWithoutNativeParts(context: vscode.ExtensionContext): void {
  if (canTrain(context)) return;
  throw new TriphaseError(
    'device',
    vscode.l10n.t(
      'This package of Triphase has no onnxruntime for {0}-{1}: it shows runs and cannot train.',
      process.platform,
      process.arch,
    ),
    vscode.l10n.t('Install the package for this platform, or run it where there is one, over SSH or in WSL.'),
  );
}

export function canTrain(context: vscode.ExtensionContext): boolean {
  // from a clone the packages lie beside dist, in a package within it
  return [path.join('dist', 'node_modules'), 'node_modules'].some(folder =>
    existsSync(path.join(context.extensionPath, folder, 'onnxruntime-node', 'package.json')),
  );
}
