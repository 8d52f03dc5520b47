// Which documents the editor features are for, and how offsets of the language room and positions of the editor go
// together.

import * as vscode from 'vscode';
import type { FileKind } from '../../language/schema-walk';
import type { TextEdit, TextRange } from '../../language/yaml-source';

export const curriculumDocuments: vscode.DocumentSelector = [
  { scheme: 'file', pattern: '**/{curriculum,*.curriculum}.{yaml,yml}' },
  { scheme: 'file', pattern: '**/{rewards,*.rewards}.{yaml,yml}' },
];

/** Undefined: none of ours. */
export function kindOf({ uri }: vscode.TextDocument): FileKind | undefined {
  if (uri.scheme !== 'file') return undefined;
  if (/(^|[\\/.])curriculum\.ya?ml$/.test(uri.fsPath)) return 'curriculum';
  return /(^|[\\/.])rewards\.ya?ml$/.test(uri.fsPath) ? 'rewards' : undefined;
}

export function rangeIn(document: vscode.TextDocument, { start, end }: TextRange): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

export function editIn(document: vscode.TextDocument, edits: readonly TextEdit[]): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  for (const { text, ...range } of edits) edit.replace(document.uri, rangeIn(document, range), text);
  return edit;
}
