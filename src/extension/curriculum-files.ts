// The curriculum files of the workspace, and which one a command means.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';

const curriculumPattern = '**/{curriculum,*.curriculum}.{yaml,yml}';

function isCurriculum(uri: vscode.Uri): boolean {
  return uri.scheme === 'file' && /(^|[\\/.])curriculum\.ya?ml$/.test(uri.fsPath);
}

export async function findCurriculumFiles(): Promise<readonly vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(curriculumPattern, '**/{node_modules,.git}/**', 500);
  return found.toSorted((a, b) => a.fsPath.localeCompare(b.fsPath));
}

/** Says in when clauses, and to the walkthrough, whether there is one. */
export function watchForCurricula(): vscode.Disposable {
  const set = async () => {
    const files = await vscode.workspace.findFiles(curriculumPattern, '**/{node_modules,.git}/**', 1);
    await vscode.commands.executeCommand('setContext', 'triphase.hasConfig', files.length > 0);
  };
  void set();
  const watcher = vscode.workspace.createFileSystemWatcher(curriculumPattern, false, true, false);
  return vscode.Disposable.from(watcher, watcher.onDidCreate(set), watcher.onDidDelete(set));
}

/** The one in the editor in front, the only one there is, or the one that the person picks. */
export async function chooseCurriculum(argument: unknown): Promise<vscode.Uri | undefined> {
  if (argument instanceof vscode.Uri && isCurriculum(argument)) return argument;
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active !== undefined && isCurriculum(active)) return active;
  const files = await findCurriculumFiles();
  if (files.length < 2) return files[0];
  const picked = await vscode.window.showQuickPick(
    files.map(uri => ({
      label: path.basename(path.dirname(uri.fsPath)),
      description: vscode.workspace.asRelativePath(uri),
      uri,
    })),
    { placeHolder: vscode.l10n.t('Which curriculum?') },
  );
  return picked?.uri;
}

/** Where they say that their runs go, when that is said at all. */
export async function runFoldersOfConfigs(): Promise<readonly string[]> {
  const files = await findCurriculumFiles();
  const folders = await Promise.all(files.map(uri => runFolderOf(uri.fsPath)));
  return folders.filter(folder => folder !== undefined);
}

async function runFolderOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!/^\s*folder:|\bfolder:/m.test(text)) return undefined;
  const { parse } = await import('yaml');
  try {
    const root: unknown = parse(text, { merge: true });
    const run = typeof root === 'object' && root !== null && 'run' in root ? root.run : undefined;
    const folder = typeof run === 'object' && run !== null && 'folder' in run ? run.folder : undefined;
    return typeof folder === 'string' ? path.resolve(path.dirname(file), folder) : undefined;
  } catch {
    // what is wrong with it is said when it is run, and in the editor
    return undefined;
  }
}
