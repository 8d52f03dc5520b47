// The files that share rules with a document: the rewards that a curriculum names, and the curricula of the workspace that
// name the same; of a file of rewards, all that name it.

import * as vscode from 'vscode';
import type { NamedFile } from '../../language/shared-files';
import { findCurriculumFiles } from '../curriculum-files';
import { kindOf } from './documents';

export async function filesThatShare(document: vscode.TextDocument): Promise<readonly NamedFile[]> {
  const { sharedRewardsOf } = await import('../../language/shared-files');
  const { YamlSource } = await import('../../language/yaml-source');
  const own = document.uri.fsPath;
  const shared = kindOf(document) === 'rewards' ? own : sharedRewardsOf(YamlSource.of(document.getText()), own);
  if (shared === undefined) return [];
  const found: NamedFile[] = [];
  const add = async (kind: NamedFile['kind'], uri: vscode.Uri): Promise<void> => {
    if (uri.fsPath === own || found.some(({ file }) => file === uri.fsPath)) return;
    const text = await textOf(uri);
    if (text === undefined) return;
    const source = new YamlSource(text);
    if (kind === 'rewards' || sharedRewardsOf(source, uri.fsPath) === shared)
      found.push({ kind, file: uri.fsPath, source });
  };
  await add('rewards', vscode.Uri.file(shared));
  for (const uri of await findCurriculumFiles()) await add('curriculum', uri);
  return found;
}

/** As it stands in the editor; undefined: it is not there. */
const textOf = (uri: vscode.Uri): Promise<string | undefined> =>
  Promise.resolve(vscode.workspace.openTextDocument(uri)).then(
    document => document.getText(),
    () => undefined,
  );
