// What states and settings are called in the editor's language.

import * as vscode from 'vscode';
import type { RunState } from '../protocol/run-state';

export function stateInWords({ kind }: RunState): string {
  switch (kind) {
    case 'starting':
      return vscode.l10n.t('starting');
    case 'running':
      return vscode.l10n.t('running');
    case 'pausing':
      return vscode.l10n.t('pausing');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'stopping':
      return vscode.l10n.t('stopping');
    case 'finished':
      return vscode.l10n.t('finished');
    case 'stopped':
      return vscode.l10n.t('stopped');
    case 'failed':
      return vscode.l10n.t('failed');
    case 'unseen':
      return vscode.l10n.t('not seen yet');
    case 'lost':
      return vscode.l10n.t('lost');
  }
}
