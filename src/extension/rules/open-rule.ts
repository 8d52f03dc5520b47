// From a rule in a view to where it is written: in the config that the run was started with or in the rewards that this
// names, as they stand in the editor; where they are gone, in the run's own copy.

import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { TriphaseError } from '../../protocol/errors';
import { sourceConfigFile } from '../../run/folder';
import { rangeIn } from '../editor/documents';
import { rulesDocuments } from './written-rules';

export async function openRule(folder: string, rule: string): Promise<void> {
  const { placeOfRule } = await import('../../language/rule-place');
  const documents = await rulesDocuments(folder);
  for (const { document, kind, source } of documents) {
    const place = placeOfRule(kind, source, rule);
    if (place === undefined) continue;
    await show(document, rangeIn(document, place).start);
    return;
  }
  const [own] = documents;
  if (own !== undefined) {
    // a built-in rule that nobody wrote down, or one that was taken out since
    const { hintPlace } = await import('../../language/hint-place');
    await show(own.document, rangeIn(own.document, hintPlace(own.kind, own.source, rule)).start);
    void vscode.window.setStatusBarMessage(
      vscode.l10n.t('{0} is not written in {1}.', rule, path.basename(own.document.fileName)),
      6000,
    );
    return;
  }
  const copy = sourceConfigFile(folder);
  if (!existsSync(copy))
    throw new TriphaseError(
      'run-folder',
      vscode.l10n.t('No config here says what {0} is.', rule),
      vscode.l10n.t('What another trainer has run has its rules in the code of that trainer.'),
      { file: folder },
    );
  const { YamlSource } = await import('../../language/yaml-source');
  const document = await vscode.workspace.openTextDocument(copy);
  const place = placeOfRule('curriculum', new YamlSource(document.getText()), rule);
  await show(document, place === undefined ? new vscode.Position(0, 0) : rangeIn(document, place).start);
}

/** Where it is shown already, otherwise beside the view that asked. */
async function show(document: vscode.TextDocument, at: vscode.Position): Promise<void> {
  const shown = vscode.window.visibleTextEditors.find(editor => editor.document === document);
  await vscode.window.showTextDocument(document, {
    selection: new vscode.Range(at, at),
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.Beside,
  });
}
