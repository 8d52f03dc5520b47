// Rules that are typed in a config, tried on the run that is looked at: whoever shows that run hears what they would have
// paid. The document is the only truth: it need not be saved, and undoing a change tries the rules of before.

import path from 'node:path';
import * as vscode from 'vscode';
import type { ChildProgram } from '../../program/child';
import type { RolloutRef } from '../../protocol/query';
import { type Tried, tryRequest } from '../../protocol/trial';
import { kindOf } from '../editor/documents';
import type { Runs } from '../runs';

/** After the last key. */
const restMs = 15;

export interface TrialViewer {
  /** The run folder that is shown, and the rollout that is looked at. */
  readonly shows: { readonly folder: string; readonly at?: RolloutRef } | undefined;
  readonly tell: (folder: string, tried: Tried) => void;
}

export class Trials implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly program: ChildProgram,
    private readonly runs: Runs,
    private readonly viewers: () => readonly TrialViewer[],
  ) {
    this.disposables = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && kindOf(document) !== undefined) this.soon(document);
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private soon(document: vscode.TextDocument): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.try(document), restMs);
  }

  private async try(document: vscode.TextDocument): Promise<void> {
    const viewers = this.viewers().filter(({ shows }) => shows !== undefined && this.isOf(document, shows.folder));
    const [first] = viewers.toSorted((a, b) => Number(b.shows?.at !== undefined) - Number(a.shows?.at !== undefined));
    const kind = kindOf(document);
    if (first?.shows === undefined || kind === undefined || !vscode.workspace.isTrusted) return;
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    const { folder, at } = first.shows;
    const tell = (tried: Tried): void => {
      if (running.signal.aborted) return;
      for (const viewer of viewers) if (viewer.shows?.folder === folder) viewer.tell(folder, tried);
    };
    const params = {
      kind,
      text: document.getText(),
      file: document.uri.fsPath,
      folder,
      ...(at === undefined ? {} : { at }),
    };
    try {
      const answer = await this.program.ask(tryRequest, params, { signal: running.signal, told: tell });
      tell(answer);
    } catch (error) {
      if (!running.signal.aborted)
        tell({ of: 'wrong', problems: [error instanceof Error ? error.message : String(error)] });
    }
  }

  /** Whether the document is what the run was started with; a file of rewards may be anybody's, and is tried on what is shown. */
  private isOf(document: vscode.TextDocument, folder: string): boolean {
    if (kindOf(document) === 'rewards') return true;
    const run = this.runs.of(folder);
    // runs of other tools have no config of ours: any that is typed in is tried
    return run === undefined || path.resolve(run.info.config) === document.uri.fsPath;
  }
}
