// Hints that the files of a run's rules remember as no problem: they are not shown again, and one more is written there.

import * as vscode from 'vscode';
import { TriphaseError } from '../../protocol/errors';
import type { Hint } from '../../protocol/query';
import { editIn } from '../editor/documents';
import { rulesDocuments } from './written-rules';

export async function keptHints(folder: string, hints: readonly Hint[]): Promise<readonly Hint[]> {
  if (hints.length === 0) return hints;
  const { hintPlace, isDismissed } = await import('../../language/hint-place');
  const documents = await rulesDocuments(folder);
  return hints.filter(
    ({ id, rule }) => !documents.some(({ kind, source }) => isDismissed(source, hintPlace(kind, source, rule), id)),
  );
}

/** Where the rule is written; saved, unless the file has other changes that nobody has saved yet. */
export async function dismissHint(folder: string, id: string, rule: string | undefined): Promise<void> {
  const { dismissal, hintPlace } = await import('../../language/hint-place');
  const { placeOfRule } = await import('../../language/rule-place');
  const documents = await rulesDocuments(folder);
  const holder =
    documents.find(({ kind, source }) => rule !== undefined && placeOfRule(kind, source, rule) !== undefined) ??
    documents[0];
  if (holder === undefined)
    throw new TriphaseError(
      'config',
      vscode.l10n.t('The config of this run is gone: there is no file to remember it in.'),
      undefined,
      { file: folder },
    );
  const { document, kind, source } = holder;
  const wasDirty = document.isDirty;
  await vscode.workspace.applyEdit(editIn(document, [dismissal(source, hintPlace(kind, source, rule), id)]));
  if (!wasDirty) await document.save();
}
