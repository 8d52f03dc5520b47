// A file of rewards and the curricula that share it: what a rule is called in one of them it is called in all.

import path from 'node:path';
import * as vscode from 'vscode';
import { findCurriculumFiles } from '../curriculum-files';
import { kindOf } from './documents';

/** The others, as they stand in the editor or on disk. */
export async function relatives(document: vscode.TextDocument): Promise<readonly vscode.TextDocument[]> {
  const shared = await sharedRewards(document);
  if (shared === undefined) return [];
  const files = [vscode.Uri.file(shared), ...(await findCurriculumFiles())];
  const others = await Promise.all(
    files
      .filter(({ fsPath }) => fsPath !== document.uri.fsPath)
      .map(async uri => {
        const other = await opened(uri);
        return other !== undefined && (uri.fsPath === shared || (await sharedRewards(other)) === shared) ? [other] : [];
      }),
  );
  return others.flat();
}

async function sharedRewards(document: vscode.TextDocument): Promise<string | undefined> {
  if (kindOf(document) !== 'curriculum') return document.uri.fsPath;
  const { YamlSource } = await import('../../language/yaml-source');
  const file = YamlSource.of(document.getText()).value(['rewards', 'file']);
  return typeof file === 'string' ? path.resolve(path.dirname(document.uri.fsPath), file) : undefined;
}

/** Undefined: it is gone; what misses it says so where it is named. */
const opened = (uri: vscode.Uri): Promise<vscode.TextDocument | undefined> =>
  Promise.resolve(vscode.workspace.openTextDocument(uri)).catch(() => undefined);
