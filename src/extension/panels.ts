// The views that are open: one panel for each view of a run, filled from the query process, and told when its run has
// something new. A hidden one has no document and costs nothing; when it is shown again it asks anew.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Tried } from '../protocol/trial';
import type { ToView, ViewName, ViewState } from '../protocol/views';
import { pageOf } from './page';
import { type Answers, Relay, readFromView } from './relay';
import type { TrialViewer } from './rules/trials';
import type { Runs } from './runs';
import { foldersOf, isSamePlace, readViewState } from './view-state';
import { viewStrings } from './view-strings';
import type { WatchedRun } from './watched-run';

const names: readonly ViewName[] = ['dashboard', 'rollouts', 'trace', 'preview'];

/** A view hears of news this often at most. */
const newsMs = 500;

export class Panels implements vscode.Disposable {
  private readonly open = new Set<Panel>();
  private readonly disposables: vscode.Disposable[];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly runs: Runs,
    private readonly answersFor: (show: (state: ViewState, beside: boolean) => void) => Answers,
  ) {
    this.disposables = [
      runs.onDidChange(run => {
        if (run !== undefined) for (const panel of this.open) panel.news(run);
      }),
      ...names.map(name =>
        vscode.window.registerWebviewPanelSerializer(`triphase.${name}`, {
          deserializeWebviewPanel: async (panel, kept) => this.restore(name, panel, kept),
        }),
      ),
    ];
  }

  /** Brings the view to the front, at that state. */
  show(state: ViewState, column: vscode.ViewColumn = vscode.ViewColumn.Active): void {
    const there = [...this.open].find(panel => isSamePlace(panel.state, state));
    if (there !== undefined) {
      there.go(state);
      return;
    }
    this.adopt(
      vscode.window.createWebviewPanel(`triphase.${state.view}`, this.titleOf(state), column, {
        enableFindWidget: true,
      }),
      state,
    );
  }

  /** The run that the panel in front shows. */
  get active(): string | undefined {
    const panel = [...this.open].find(({ isActive }) => isActive);
    return panel === undefined ? undefined : foldersOf(panel.state)[0];
  }

  /** Those that are to hear what typed rules would have paid. */
  get viewers(): readonly TrialViewer[] {
    return [...this.open];
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private restore(name: ViewName, panel: vscode.WebviewPanel, kept: unknown): void {
    const state = readViewState(name, kept);
    if (state === undefined) panel.dispose();
    else this.adopt(panel, state);
  }

  private adopt(webview: vscode.WebviewPanel, state: ViewState): void {
    const panel = new Panel(webview, state, {
      extensionUri: this.extensionUri,
      title: next => this.titleOf(next),
      answers: this.answersFor((next, beside) =>
        this.show(next, beside ? vscode.ViewColumn.Beside : (webview.viewColumn ?? vscode.ViewColumn.Active)),
      ),
    });
    this.open.add(panel);
    webview.onDidDispose(() => this.open.delete(panel));
    // a run that lies outside the workspace is watched while it is looked at
    for (const folder of foldersOf(state)) void this.runs.tryToKnow(folder);
  }

  private titleOf(state: ViewState): string {
    const [folder] = foldersOf(state);
    const name = folder === undefined ? '' : (this.runs.of(folder)?.info.name ?? path.basename(folder));
    switch (state.view) {
      case 'dashboard':
        return vscode.l10n.t('{0}: Dashboard', name);
      case 'rollouts':
        return vscode.l10n.t('{0}: Rollouts', name);
      case 'trace':
        return vscode.l10n.t('{0}: Trace', name);
      case 'preview':
        return vscode.l10n.t('Preview: {0}', state.phase);
    }
  }
}

interface PanelParts {
  readonly extensionUri: vscode.Uri;
  readonly title: (state: ViewState) => string;
  readonly answers: Answers;
}

const icons: Readonly<Record<ViewName, string>> = {
  dashboard: 'dashboard',
  rollouts: 'rollouts',
  trace: 'rollouts',
  preview: 'preview',
};

class Panel {
  private readonly relay: Relay;
  private ready = false;
  /** Where to go as soon as the script runs; it keeps its own place otherwise. */
  private wanted: ViewState | undefined;
  private pendingNews = new Map<string, WatchedRun>();
  private newsTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    public state: ViewState,
    private readonly parts: PanelParts,
  ) {
    const { webview } = panel;
    const { extensionUri } = parts;
    const bundles = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    webview.options = { enableScripts: true, localResourceRoots: [bundles] };
    const icon = (theme: string) =>
      vscode.Uri.joinPath(extensionUri, 'media', 'tabs', `${icons[state.view]}-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    this.relay = new Relay(parts.answers, message => this.post(message));
    webview.onDidReceiveMessage((value: unknown) => this.take(value));
    panel.onDidChangeViewState(() => {
      // its document is gone, and says so itself when it is made anew
      if (!panel.visible) this.ready = false;
    });
    panel.onDidDispose(() => {
      clearTimeout(this.newsTimer);
      this.relay.close();
    });
    webview.html = pageOf({
      title: parts.title(state),
      view: state.view,
      language: vscode.env.language,
      nonce: randomBytes(16).toString('base64'),
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(bundles, `${state.view}.js`)).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(bundles, `${state.view}.css`)).toString(),
    });
  }

  get isActive(): boolean {
    return this.panel.active;
  }

  /** Nothing while it is hidden: it asks anew when it is shown again. */
  get shows(): TrialViewer['shows'] {
    const [folder] = foldersOf(this.state);
    if (!this.ready || folder === undefined) return undefined;
    return { folder, ...(this.state.view === 'trace' ? { at: this.state.ref } : {}) };
  }

  tell(folder: string, tried: Tried): void {
    this.post({ kind: 'tried', folder, tried });
  }

  go(state: ViewState): void {
    this.state = state;
    this.panel.title = this.parts.title(state);
    if (this.ready) this.post({ kind: 'go', state });
    else this.wanted = state;
    this.panel.reveal(undefined, false);
  }

  news(run: WatchedRun): void {
    if (!foldersOf(this.state).includes(run.folder)) return;
    this.pendingNews.set(run.folder, run);
    this.newsTimer ??= setTimeout(() => {
      this.newsTimer = undefined;
      const told = [...this.pendingNews.values()];
      this.pendingNews.clear();
      for (const { folder, state, digest } of told)
        this.post({ kind: 'changed', folder, state, lastEvent: digest.lastEvent });
    }, newsMs);
  }

  private take(value: unknown): void {
    const message = readFromView(value);
    if (message === undefined) return;
    if (message.kind === 'looks') {
      const looked = readViewState(this.state.view, message.state);
      if (looked !== undefined) this.state = looked;
      return;
    }
    if (message.kind !== 'ready') {
      void this.relay.take(message);
      return;
    }
    this.ready = true;
    this.post({ kind: 'init', state: this.state, strings: viewStrings() });
    if (this.wanted !== undefined) this.post({ kind: 'go', state: this.wanted });
    this.wanted = undefined;
  }

  private post(message: ToView): void {
    if (this.ready) void this.panel.webview.postMessage(message);
  }
}
