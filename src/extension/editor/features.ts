// The editor features of curricula, all of them.

import * as vscode from 'vscode';
import type { Runs } from '../runs';
import { showDiagnostics } from './diagnostics';
import { registerProviders } from './providers';
import { showResults } from './results';

export function editorFeatures(runs: Runs): vscode.Disposable {
  return vscode.Disposable.from(showDiagnostics(), registerProviders(), showResults(runs));
}
