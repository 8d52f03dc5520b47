// The files that a run's rules are written in, as they stand in the editor: its config, and the rewards that it names.

import * as vscode from 'vscode';
import type { YamlSource } from '../../language/yaml-source';
import { readRunInfo } from '../../run/folder';
import { kindOf } from '../editor/documents';

export interface RulesDocument {
  readonly document: vscode.TextDocument;
  readonly kind: 'curriculum' | 'rewards';
  readonly source: YamlSource;
}

/** The config that the run was started with first; empty where it is gone, and for a run of another trainer. */
export async function rulesDocuments(folder: string): Promise<readonly RulesDocument[]> {
  const { sharedRewardsOf } = await import('../../language/shared-files');
  const { YamlSource } = await import('../../language/yaml-source');
  const file = configOf(folder);
  const document = file === undefined ? undefined : await opened(file);
  if (file === undefined || document === undefined) return [];
  const own: RulesDocument = {
    document,
    kind: kindOf(document) ?? 'curriculum',
    source: new YamlSource(document.getText()),
  };
  const named = sharedRewardsOf(own.source, file);
  const shared = named === undefined ? undefined : await opened(named);
  return shared === undefined
    ? [own]
    : [own, { document: shared, kind: 'rewards', source: new YamlSource(shared.getText()) }];
}

/** Undefined: the folder is not one of ours. */
function configOf(folder: string): string | undefined {
  try {
    return readRunInfo(folder).config;
  } catch {
    return undefined;
  }
}

const opened = (file: string): Promise<vscode.TextDocument | undefined> =>
  Promise.resolve(vscode.workspace.openTextDocument(file)).then(
    document => document,
    () => undefined,
  );
