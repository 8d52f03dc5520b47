// Completion, hover, outline, definitions, references and rename in curricula and files of rewards. What is said comes
// from the language room; here it is put into the editor's words.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Completion } from '../../language/completion';
import type { OutlineSymbol } from '../../language/symbols';
import { curriculumDocuments, kindOf, rangeIn } from './documents';
import { filesThatShare } from './shared-files';

export function registerProviders(): vscode.Disposable {
  const { languages } = vscode;
  return vscode.Disposable.from(
    languages.registerCompletionItemProvider(
      curriculumDocuments,
      { provideCompletionItems },
      ':',
      ' ',
      '[',
      '{',
      ',',
      '.',
      '/',
      '"',
    ),
    languages.registerHoverProvider(curriculumDocuments, { provideHover }),
    languages.registerDocumentSymbolProvider(curriculumDocuments, { provideDocumentSymbols }, { label: 'Triphase' }),
    languages.registerDefinitionProvider(curriculumDocuments, { provideDefinition }),
    languages.registerReferenceProvider(curriculumDocuments, { provideReferences }),
    languages.registerRenameProvider(curriculumDocuments, { prepareRename, provideRenameEdits }),
  );
}

async function provideCompletionItems(
  document: vscode.TextDocument,
  position: vscode.Position,
  token: vscode.CancellationToken,
): Promise<vscode.CompletionItem[]> {
  const kind = kindOf(document);
  if (kind === undefined) return [];
  const { completions } = await import('../../language/completion');
  if (token.isCancellationRequested) return [];
  const offset = document.offsetAt(position);
  return completions(kind, document.getText(), offset, document.uri.fsPath, asItStands).map(item =>
    completionItem(document, item),
  );
}

function asItStands(file: string): string | undefined {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'file' && uri.fsPath === file);
  if (open !== undefined) return open.getText();
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const itemKinds: Readonly<Record<Completion['kind'], vscode.CompletionItemKind>> = {
  key: vscode.CompletionItemKind.Property,
  value: vscode.CompletionItemKind.EnumMember,
  name: vscode.CompletionItemKind.Reference,
  file: vscode.CompletionItemKind.File,
  folder: vscode.CompletionItemKind.Folder,
  word: vscode.CompletionItemKind.Variable,
};

function completionItem(document: vscode.TextDocument, item: Completion): vscode.CompletionItem {
  const result = new vscode.CompletionItem(item.label, itemKinds[item.kind]);
  result.range = rangeIn(document, item.range);
  // indentation is written out, so the editor must not add its own
  result.keepWhitespace = true;
  result.insertText = new vscode.SnippetString(item.snippet);
  result.detail = item.detail;
  if (item.documentation !== '') result.documentation = new vscode.MarkdownString(item.documentation);
  result.sortText = `${item.first ? '0' : '1'}${item.label}`;
  // what comes next is offered at once
  if (item.kind === 'folder' || /\s\$0$|\[\$0\]$/.test(item.snippet))
    result.command = { command: 'editor.action.triggerSuggest', title: '' };
  return result;
}

async function provideHover(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Hover | undefined> {
  const kind = kindOf(document);
  if (kind === undefined) return undefined;
  const { hover } = await import('../../language/hover');
  const { YamlSource } = await import('../../language/yaml-source');
  const found = hover(kind, YamlSource.of(document.getText()), document.offsetAt(position));
  if (found === undefined) return undefined;
  return new vscode.Hover(new vscode.MarkdownString(found.markdown), rangeIn(document, found.range));
}

const symbolKinds: Readonly<Record<OutlineSymbol['kind'], vscode.SymbolKind>> = {
  group: vscode.SymbolKind.Namespace,
  data: vscode.SymbolKind.Struct,
  rule: vscode.SymbolKind.Function,
  phase: vscode.SymbolKind.Event,
  test: vscode.SymbolKind.Boolean,
};

async function provideDocumentSymbols(document: vscode.TextDocument): Promise<vscode.DocumentSymbol[]> {
  const kind = kindOf(document);
  if (kind === undefined) return [];
  const { symbols } = await import('../../language/symbols');
  const { YamlSource } = await import('../../language/yaml-source');
  const inEditor = ({ name, detail, kind: of, range, selection, children }: OutlineSymbol): vscode.DocumentSymbol => {
    const symbol = new vscode.DocumentSymbol(
      name === '' ? '…' : name,
      detail,
      symbolKinds[of],
      rangeIn(document, range),
      rangeIn(document, selection),
    );
    symbol.children = children.map(inEditor);
    return symbol;
  };
  return symbols(kind, YamlSource.of(document.getText())).map(inEditor);
}

async function provideDefinition(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Location | undefined> {
  const kind = kindOf(document);
  if (kind === undefined) return undefined;
  const { placesOf } = await import('../../language/rename');
  const { YamlSource } = await import('../../language/yaml-source');
  const source = YamlSource.of(document.getText());
  const offset = document.offsetAt(position);
  const [given] = placesOf(kind, source, offset);
  if (given?.role === 'given') return new vscode.Location(document.uri, rangeIn(document, given.range));
  const { givenElsewhere } = await import('../../language/shared-files');
  const elsewhere = givenElsewhere({ kind, file: document.uri.fsPath, source }, await filesThatShare(document), offset);
  if (elsewhere !== undefined) {
    const other = await vscode.workspace.openTextDocument(elsewhere.file);
    return new vscode.Location(other.uri, rangeIn(other, elsewhere.place.range));
  }
  return fileAt(document, source.at(offset)?.path ?? [], source.value(source.at(offset)?.path ?? []));
}

/** The file that a path of the curriculum names, where it is one. */
async function fileAt(
  document: vscode.TextDocument,
  at: readonly (string | number)[],
  value: unknown,
): Promise<vscode.Location | undefined> {
  if (typeof value !== 'string' || !['path', 'file'].includes(String(at.at(-1)))) return undefined;
  const named = vscode.Uri.file(path.resolve(path.dirname(document.uri.fsPath), value));
  const candidates = at[0] === 'model' ? [vscode.Uri.joinPath(named, 'config.json')] : [named];
  for (const uri of candidates) {
    const stat = await vscode.workspace.fs.stat(uri).then(
      found => found,
      () => undefined,
    );
    if (stat?.type === vscode.FileType.File) return new vscode.Location(uri, new vscode.Position(0, 0));
  }
  return undefined;
}

async function provideReferences(
  document: vscode.TextDocument,
  position: vscode.Position,
  { includeDeclaration }: vscode.ReferenceContext,
): Promise<vscode.Location[]> {
  const kind = kindOf(document);
  if (kind === undefined) return [];
  const { placesOf } = await import('../../language/rename');
  const { YamlSource } = await import('../../language/yaml-source');
  return placesOf(kind, YamlSource.of(document.getText()), document.offsetAt(position))
    .filter(({ role }) => includeDeclaration || role === 'used')
    .map(({ range }) => new vscode.Location(document.uri, rangeIn(document, range)));
}

async function prepareRename(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<{ range: vscode.Range; placeholder: string }> {
  const kind = kindOf(document);
  const { renameTarget } = await import('../../language/rename');
  const { YamlSource } = await import('../../language/yaml-source');
  const target = renameTarget(kind ?? 'curriculum', YamlSource.of(document.getText()), document.offsetAt(position));
  if ('refused' in target) throw new Error(target.refused);
  return { range: rangeIn(document, target.range), placeholder: target.name };
}

async function provideRenameEdits(
  document: vscode.TextDocument,
  position: vscode.Position,
  newName: string,
): Promise<vscode.WorkspaceEdit> {
  const { renameInAll } = await import('../../language/shared-files');
  const { YamlSource } = await import('../../language/yaml-source');
  const here = {
    kind: kindOf(document) ?? 'curriculum',
    file: document.uri.fsPath,
    source: YamlSource.of(document.getText()),
  } as const;
  const renamed = renameInAll(here, await filesThatShare(document), document.offsetAt(position), newName);
  if ('refused' in renamed) throw new Error(renamed.refused);
  const edit = new vscode.WorkspaceEdit();
  for (const [file, edits] of renamed.edits) {
    const other = file === here.file ? document : await vscode.workspace.openTextDocument(file);
    for (const { text, ...range } of edits) edit.replace(other.uri, rangeIn(other, range), text);
  }
  return edit;
}
