// Test cases of rules in the Test Explorer: a file, its rules, their cases. Run in the process that tries rules, on the
// text as it stands in the editor; run again at each change where that is asked for.

import * as vscode from 'vscode';
import type { ChildProgram } from '../../program/child';
import { type TestsResult, type TriedTest, testRulesRequest } from '../../protocol/trial';
import { kindOf, rangeIn } from '../editor/documents';

const pattern = '**/{curriculum,*.curriculum,rewards,*.rewards}.{yaml,yml}';
const restMs = 150;

export class RuleTests implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController('triphase.rules', vscode.l10n.t('Reward Rules'));
  private readonly disposables: vscode.Disposable[] = [this.controller];
  /** Files that are run at each change. */
  private readonly continuous = new Map<string, vscode.TestRunRequest>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly program: ChildProgram) {
    this.controller.resolveHandler = async item => {
      if (item === undefined) await this.discover();
    };
    this.controller.refreshHandler = () => this.discover();
    this.controller.createRunProfile(
      vscode.l10n.t('Run'),
      vscode.TestRunProfileKind.Run,
      (request, token) => this.run(request, token),
      true,
      undefined,
      true,
    );
    this.disposables.push(
      vscode.workspace.onDidOpenTextDocument(document => void this.list(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.changed(document)),
      vscode.workspace.onDidDeleteFiles(({ files }) => {
        for (const uri of files) this.controller.items.delete(uri.toString());
      }),
    );
    for (const document of vscode.workspace.textDocuments) void this.list(document);
  }

  /** All cases of a file, or those of one rule. */
  async runFile(uri: vscode.Uri, rule?: string): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uri);
    await this.list(document);
    const file = this.controller.items.get(uri.toString());
    const item = rule === undefined ? file : file?.children.get(rule);
    if (item === undefined) {
      void vscode.window.showInformationMessage(
        rule === undefined
          ? vscode.l10n.t('No rule of this file has test cases yet.')
          : vscode.l10n.t('{0} has no test cases yet. Write some under tests:, or make one from a rollout.', rule),
      );
      return;
    }
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await this.run(new vscode.TestRunRequest([item]), new vscode.CancellationTokenSource().token);
  }

  dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    for (const disposable of this.disposables) disposable.dispose();
  }

  private async discover(): Promise<void> {
    const files = await vscode.workspace.findFiles(pattern, '**/{node_modules,.git}/**', 500);
    await Promise.all(files.map(async uri => this.list(await vscode.workspace.openTextDocument(uri))));
  }

  private changed(document: vscode.TextDocument): void {
    if (kindOf(document) === undefined) return;
    const key = document.uri.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => {
        this.timers.delete(key);
        void this.list(document).then(() => this.again(key));
      }, restMs),
    );
  }

  private again(key: string): Promise<void> | undefined {
    const request = this.continuous.get(key);
    const item = this.controller.items.get(key);
    return request === undefined || item === undefined
      ? undefined
      : this.once(new vscode.TestRunRequest([item], [], request.profile), [item], undefined);
  }

  /** The cases of a document as they stand in it now. */
  private async list(document: vscode.TextDocument): Promise<void> {
    const kind = kindOf(document);
    if (kind === undefined) return;
    const { symbols } = await import('../../language/symbols');
    const { YamlSource } = await import('../../language/yaml-source');
    const outline = symbols(kind, YamlSource.of(document.getText()));
    const rules = kind === 'rewards' ? outline : (outline.find(({ name }) => name === 'rewards')?.children ?? []);
    const tested = rules.filter(rule => rule.children.length > 0);
    const key = document.uri.toString();
    if (tested.length === 0) {
      this.controller.items.delete(key);
      return;
    }
    const label = vscode.workspace.asRelativePath(document.uri);
    // items that are there already stay: a run that goes on names them
    const itemIn = (items: vscode.TestItemCollection, id: string, label: string) => {
      const item = items.get(id) ?? this.controller.createTestItem(id, label, document.uri);
      item.label = label;
      return item;
    };
    const file = itemIn(this.controller.items, key, label);
    this.controller.items.add(file);
    file.children.replace(
      tested.map(rule => {
        const item = itemIn(file.children, rule.name, rule.name);
        item.range = rangeIn(document, rule.selection);
        item.children.replace(
          rule.children.map((test, i) => {
            const one = itemIn(item.children, String(i), test.name);
            one.range = rangeIn(document, test.range);
            one.sortText = String(i).padStart(6, '0');
            return one;
          }),
        );
        return item;
      }),
    );
  }

  private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const items = request.include ?? [...this.controller.items].map(([, item]) => item);
    if (request.continuous === true) {
      for (const item of items) this.continuous.set(fileOf(item).id, request);
      token.onCancellationRequested(() => {
        for (const item of items) this.continuous.delete(fileOf(item).id);
      });
    }
    await this.once(request, items, token);
  }

  private async once(
    request: vscode.TestRunRequest,
    items: readonly vscode.TestItem[],
    token: vscode.CancellationToken | undefined,
  ): Promise<void> {
    const run = this.controller.createTestRun(request);
    const stop = new AbortController();
    token?.onCancellationRequested(() => stop.abort());
    try {
      for (const file of new Set(items.map(fileOf))) {
        const cases = casesOf(file).filter(
          one => items.some(item => isWithin(one, item)) && !request.exclude?.includes(one),
        );
        for (const one of cases) run.started(one);
        report(run, cases, await this.ask(file, stop.signal));
      }
    } catch (error) {
      if (!stop.signal.aborted) {
        const message = new vscode.TestMessage(error instanceof Error ? error.message : String(error));
        for (const item of items) run.errored(item, message);
      }
    } finally {
      run.end();
    }
  }

  private async ask(file: vscode.TestItem, signal: AbortSignal): Promise<TestsResult> {
    const uri = file.uri;
    if (uri === undefined) throw new Error('a test file has an address');
    const document = await vscode.workspace.openTextDocument(uri);
    return this.program.ask(
      testRulesRequest,
      { kind: kindOf(document) ?? 'curriculum', text: document.getText(), file: uri.fsPath },
      { signal },
    );
  }
}

function report(run: vscode.TestRun, cases: readonly vscode.TestItem[], { tests, problems }: TestsResult): void {
  for (const item of cases) {
    const result = tests.find(test => test.rule === item.parent?.id && String(test.index) === item.id);
    if (result === undefined) {
      const why = problems.length > 0 ? problems.join('\n') : vscode.l10n.t('The rule was not asked.');
      run.errored(item, new vscode.TestMessage(why));
      continue;
    }
    run.appendOutput(evidence(result).replaceAll('\n', '\r\n'), undefined, item);
    if (result.faults.length === 0) run.passed(item);
    else {
      const message = new vscode.TestMessage(`${result.faults.join('; ')}\n${result.got.why}`);
      if (item.uri !== undefined && item.range !== undefined)
        message.location = new vscode.Location(item.uri, item.range);
      run.failed(item, message);
    }
  }
}

/** What the rule said, with what it matched. */
function evidence({ rule, index, completion, got, faults }: TriedTest): string {
  const spans = got.spans.map(({ start, end }) => `    ${JSON.stringify(completion.slice(start, end).slice(0, 120))}`);
  return [
    `${rule} ${index + 1}: ${faults.length === 0 ? 'passed' : faults.join('; ')}`,
    `  pays ${got.score}: ${got.why}`,
    ...(spans.length === 0 ? [] : ['  matched', ...spans]),
    '',
  ].join('\n');
}

const fileOf = (item: vscode.TestItem): vscode.TestItem => (item.parent === undefined ? item : fileOf(item.parent));

const casesOf = (file: vscode.TestItem): readonly vscode.TestItem[] =>
  [...file.children].flatMap(([, rule]) => [...rule.children].map(([, one]) => one));

const isWithin = (item: vscode.TestItem, holder: vscode.TestItem): boolean =>
  item === holder || (item.parent !== undefined && isWithin(item.parent, holder));
