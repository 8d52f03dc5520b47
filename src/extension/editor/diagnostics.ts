// What is wrong with a curriculum, marked as one types, with what would mend it at the light bulb.

import * as vscode from 'vscode';
import type { Problem } from '../../language/problems';
import { curriculumDocuments, editIn, kindOf, rangeIn } from './documents';

/** So long after the last key, a file of thousands of lines is read again. */
const restMs = 60;

export function showDiagnostics(): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('triphase');
  const waiting = new Map<string, NodeJS.Timeout>();
  const checked = new Map<string, { readonly version: number; readonly found: readonly Problem[] }>();

  const check = async (document: vscode.TextDocument): Promise<readonly Problem[]> => {
    const kind = kindOf(document);
    if (kind === undefined) return [];
    const { problems } = await import('../../language/problems');
    const { version } = document;
    const found = problems(kind, document.getText(), document.uri.fsPath);
    if (document.isClosed) return [];
    checked.set(document.uri.toString(), { version, found });
    collection.set(
      document.uri,
      found.map(problem => diagnosticOf(document, problem)),
    );
    return found;
  };
  const soon = (document: vscode.TextDocument): void => {
    if (kindOf(document) === undefined) return;
    const key = document.uri.toString();
    clearTimeout(waiting.get(key));
    waiting.set(
      key,
      setTimeout(() => {
        waiting.delete(key);
        void check(document);
      }, restMs),
    );
  };
  const forget = (document: vscode.TextDocument): void => {
    const key = document.uri.toString();
    clearTimeout(waiting.get(key));
    waiting.delete(key);
    checked.delete(key);
    collection.delete(document.uri);
  };
  for (const document of vscode.workspace.textDocuments) soon(document);
  return vscode.Disposable.from(
    collection,
    vscode.workspace.onDidOpenTextDocument(soon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon(document)),
    // a file that it names may have come or gone
    vscode.workspace.onDidSaveTextDocument(() => {
      for (const document of vscode.workspace.textDocuments) soon(document);
    }),
    vscode.workspace.onDidCloseTextDocument(forget),
    vscode.languages.registerCodeActionsProvider(
      curriculumDocuments,
      {
        provideCodeActions: async (document, range) => {
          // who asks right behind a key is not answered about the text before it
          const last = checked.get(document.uri.toString());
          const found = last?.version === document.version ? last.found : await check(document);
          return fixesAt(document, range, found);
        },
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
    new vscode.Disposable(() => {
      for (const timer of waiting.values()) clearTimeout(timer);
    }),
  );
}

function diagnosticOf(document: vscode.TextDocument, { range, message, remedy }: Problem): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(
    rangeIn(document, range),
    remedy === undefined ? message : `${message}\n${remedy}`,
    vscode.DiagnosticSeverity.Error,
  );
  diagnostic.source = 'Triphase';
  return diagnostic;
}

function fixesAt(document: vscode.TextDocument, range: vscode.Range, found: readonly Problem[]): vscode.CodeAction[] {
  return found.flatMap(problem => {
    if (problem.fix === undefined || rangeIn(document, problem.range).intersection(range) === undefined) return [];
    const action = new vscode.CodeAction(problem.fix.title, vscode.CodeActionKind.QuickFix);
    action.edit = editIn(document, [problem.fix.edit]);
    action.diagnostics = [diagnosticOf(document, problem)];
    action.isPreferred = true;
    return [action];
  });
}
