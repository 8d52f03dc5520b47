// The trace: one completion, stepped through. What was asked stands on the left, the completion in the middle, why it was
// paid what it was and what was recorded of the token at hand on the right.

import { unpackTokens } from '../../src/protocol/packed-tokens';
import type { Occurrence, RolloutDetail, RolloutRef, TokenFigures } from '../../src/protocol/query';
import type { Tried, TriedRollout } from '../../src/protocol/trial';
import type { ViewState } from '../../src/protocol/views';
import type { Choice } from '../components/controls';
import { errorNotice } from '../components/notice';
import { Pictures } from '../components/pictures';
import { h, replace } from '../dom';
import { connect, type Host, isAbort } from '../host';
import { modelLine } from '../model-text';
import { part } from '../parts';
import { speak, t } from '../words';
import { Alternatives } from './alternatives';
import { BranchPanel, type Fork } from './branch-panel';
import { CompletionText, type Place } from './completion-text';
import { allKeys, keysLine } from './key-help';
import { keyOf, type TraceKey } from './keys';
import { prepareLatex } from './latex';
import { type InRun, OtherRuns } from './other-runs';
import { promptPanel } from './prompt-panel';
import { RewardPanel } from './reward-panel';
import { isFailing, type RulePart, rewardOf, rulePartsOf, typedParts } from './rule-parts';
import type { Mark } from './step-content';
import { Timeline } from './timeline';
import { TokenPanel } from './token-panel';
import { type Heat, nextUncertain } from './tokens';
import { TraceHeader } from './trace-header';
import { TrialPanel } from './trial-panel';
import '../styles/base.css';
import '../styles/trace.css';

type TraceState = Extract<ViewState, { readonly view: 'trace' }>;

/** All that is kept beside the rollout and the token. */
interface Ui {
  readonly step?: number;
  readonly heat?: Heat;
  readonly raw?: boolean;
  readonly table?: boolean;
  readonly rule?: string;
}

const heats: readonly Heat[] = ['none', 'probability', 'entropy', 'log-ratio'];

class TraceView {
  private detail: RolloutDetail | undefined;
  private tokens: TokenFigures | null = null;
  private text: CompletionText | undefined;
  private parts: readonly RulePart[] = [];
  /** What rules as typed pay for this completion. */
  private typed: TriedRollout | undefined;
  private place: Place = { step: 0, piece: undefined };
  private ui: Ui;
  private asking: AbortController | undefined;
  private readonly pictures: Pictures;

  private readonly notices = h('div', { class: 'notices' });
  private readonly left = h('div', { class: 'left' });
  private readonly middle = h('div', { class: 'middle' });
  /** Where one is, for whoever does not see it. */
  private readonly live = h('span', { class: 'unseen-by-eye', role: 'status', 'aria-live': 'polite' });
  /** What a key has found, or that it has found nothing; until the next key. */
  private readonly said = h('p', { class: 'said', role: 'status', 'aria-live': 'polite' });
  private readonly timeline = new Timeline(ref => this.go(ref));
  private readonly header = new TraceHeader(
    { do: key => this.do(key), heat: heat => this.look({ heat }) },
    this.timeline.element,
  );
  private readonly reward = new RewardPanel({
    openRule: rule => this.act(() => this.host.request('openRule', { folder: this.shown.folder, rule })),
    light: rule => this.look({ rule }),
    go: ref => this.go(ref),
  });
  private readonly trial = new TrialPanel({
    apply: () => this.act(() => this.host.request('command', { command: 'applyRules', folder: this.shown.folder })),
    go: ref => this.go(ref),
  });
  private readonly otherRuns: OtherRuns;
  private lookingForRuns: AbortController | undefined;
  /** Of the run, where one has come to it from another. */
  private runName: string | undefined;
  private readonly tokenSlot = h('div');
  private tokenPanel: TokenPanel | undefined;
  private alternatives: Alternatives | undefined;
  private branches: BranchPanel | undefined;
  private checkpoints: readonly Choice[] | undefined;
  private readonly help = allKeys();

  constructor(
    private readonly host: Host,
    private shown: TraceState,
  ) {
    this.ui = (shown.ui ?? {}) as Ui;
    this.pictures = new Pictures(host);
    this.otherRuns = new OtherRuns(host, run => this.goToRun(run));
    replace(
      document.body,
      h(
        'main',
        { class: 'trace' },
        this.header.element,
        this.otherRuns.element,
        this.notices,
        h(
          'div',
          { class: 'columns' },
          this.left,
          this.middle,
          h('div', { class: 'right' }, this.reward.element, this.trial.element, this.tokenSlot),
        ),
        h('footer', { class: 'trace-keys' }, this.said, keysLine()),
        this.help,
        this.live,
      ),
    );
    document.addEventListener('keydown', event => this.key(event));
    host.onChanged(({ folder }) => {
      if (folder === this.shown.folder) void this.askOccurrences();
    });
    host.onTried((folder, tried, running) => {
      if (folder === this.shown.folder) this.tried(tried, running);
    });
    host.onGo(state => {
      if (state.view === 'trace') this.show(state);
    });
    this.load();
  }

  private show(state: TraceState): void {
    if (state.folder !== this.shown.folder) {
      this.runName = undefined;
      this.checkpoints = undefined;
      this.trial.clear();
    }
    this.shown = state;
    this.ui = { ...this.ui, ...((state.ui ?? {}) as Ui), ...(state.token === undefined ? { step: 0 } : {}) };
    this.load();
  }

  private go(ref: RolloutRef): void {
    const { token: _, ...rest } = this.shown;
    this.shown = { ...rest, ref };
    this.ui = { ...this.ui, step: 0 };
    this.load();
  }

  private load(): void {
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    const { folder, ref } = this.shown;
    this.keep();
    this.lookingForRuns?.abort();
    this.otherRuns.hide();
    const asked = this.host.request('rollout', { folder, ref }, { signal: asking.signal });
    Promise.all([asked, prepareLatex()])
      .then(([detail]) => {
        if (asking.signal.aborted) return;
        replace(this.notices);
        this.render(detail);
        void this.askOccurrences();
      })
      .catch(error => {
        if (!isAbort(error))
          replace(
            this.notices,
            errorNotice(error, () => this.load()),
          );
      });
  }

  private render(detail: RolloutDetail): void {
    this.detail = detail;
    const tokens = detail.tokens && unpackTokens(detail.tokens);
    this.tokens = tokens;
    this.parts = rulePartsOf(detail);
    this.typed = undefined;
    this.trial.leave();
    this.text?.dispose();
    const text = new CompletionText(detail.completion, tokens, place => this.goTo(place, true));
    this.text = text;
    this.alternatives?.close();
    const alternatives = new Alternatives(this.host, this.shown.folder, detail.ref, () => this.tokenPanel?.refresh());
    this.alternatives = alternatives;
    const of = (token: number) => alternatives.of(token);
    this.tokenPanel = new TokenPanel(tokens, text.pieces, detail.completion, of, {
      choose: piece =>
        this.goTo({ step: this.text?.placeOf(this.text.pieces.at(piece)?.last ?? 0).step ?? 0, piece }, true),
      branch: (token, force) => void this.branch({ token, force }),
    });
    this.branches?.close();
    this.branches = undefined;
    replace(this.tokenSlot, this.tokenPanel.element);
    replace(this.left, promptPanel(detail, this.pictures));
    replace(this.middle, text.element);
    this.showHeader(detail);
    const step = Math.min(this.ui.step ?? 0, Math.max(0, text.steps.length - 1));
    const place = this.shown.token === undefined ? { step, piece: undefined } : text.placeOf(this.shown.token);
    text.begin(place.step);
    this.relook();
    this.goTo(place, true);
  }

  private showHeader(detail: RolloutDetail): void {
    const { heat = 'none', raw = false, table = false } = this.ui;
    this.header.show(detail, { heat, raw, table, help: !this.help.hidden }, this.runName);
  }

  private async askOccurrences(): Promise<void> {
    const { detail } = this;
    const [source, example] = [detail?.cells['source'], detail?.cells['example']];
    if (detail === undefined || typeof example !== 'string') {
      if (detail !== undefined) this.timeline.show([], detail);
      return;
    }
    let occurrences: readonly Occurrence[] = [];
    try {
      occurrences = await this.host.request('occurrences', {
        folder: this.shown.folder,
        source: typeof source === 'string' ? source : '',
        example,
      });
    } catch {
      // it can be looked at without
    }
    if (detail !== this.detail) return;
    this.timeline.show(occurrences, detail);
  }

  private goTo(place: Place, focus: boolean): void {
    const { text } = this;
    if (text === undefined || text.steps.length === 0) return;
    this.place = place;
    text.go(place, focus);
    const range = text.piecesOf(place.step);
    this.tokenPanel?.show(place.piece, range, this.ui.table === true);
    const token = place.piece === undefined ? undefined : text.pieces.at(place.piece)?.first;
    const { token: _, ...rest } = this.shown;
    this.shown = token === undefined ? rest : { ...rest, token };
    this.ui = { ...this.ui, step: place.step };
    const step = text.steps[place.step];
    this.live.textContent =
      place.piece !== undefined || step === undefined
        ? ''
        : t('step {0} of {1}, {2}', place.step + 1, text.steps.length, step.within.join(' ') || t('outside of tags'));
    this.keep();
  }

  /** What typed rules match is marked in the text, and what they say stands beside each rule. */
  private tried(tried: Tried, running: boolean): void {
    this.act(() => part('toolkit'));
    this.trial.show(tried, running);
    if (tried.of !== 'rollout' || this.detail === undefined) return;
    const { ref } = tried.rollout;
    const { step, group, sample } = this.detail.ref;
    if (ref.step !== step || ref.group !== group || ref.sample !== sample) return;
    this.typed = tried.rollout;
    this.parts = typedParts(rulePartsOf(this.detail), tried.rollout);
    this.relook();
  }

  private look(change: {
    readonly heat?: Heat;
    readonly raw?: boolean;
    readonly table?: boolean;
    readonly rule?: string | undefined;
  }): void {
    const { rule, ...rest } = change;
    const { rule: before, ...ui } = this.ui;
    const lit = 'rule' in change ? rule : before;
    this.ui = { ...ui, ...rest, ...(lit === undefined ? {} : { rule: lit }) };
    this.relook();
    if (this.detail !== undefined) this.showHeader(this.detail);
    this.goTo(this.place, false);
  }

  private relook(): void {
    if (this.detail === undefined) return;
    const half = this.detail.completion.length / 2;
    const marks = this.parts.flatMap(({ rule, explained }, number): readonly Mark[] => {
      const spans = explained?.spans ?? [];
      // a rule that matched nearly all of it would hide what the others did: it is shown when it is asked for
      const covered = spans.reduce((sum, { start, end }) => sum + end - start, 0);
      return covered > half && this.ui.rule !== rule ? [] : spans.map(span => ({ ...span, rule, number }));
    });
    this.text?.show(marks, { heat: this.ui.heat ?? 'none', raw: this.ui.raw === true, rule: this.ui.rule });
    this.reward.show(this.detail, this.parts, this.ui.rule, this.typed);
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isTyping = /^(input|textarea|select|vscode-text-field|vscode-dropdown|vscode-option)$/i.test(target.tagName);
    const inToolbar = target.closest('[role=toolbar]') !== null && /^(Arrow|Home|End|Enter)/.test(event.key);
    const onControl =
      /^(button|summary|a|vscode-button)$/i.test(target.tagName) && (event.key === 'Enter' || event.key === ' ');
    if (isTyping || inToolbar || onControl) return;
    const key = keyOf(event, this.place.piece !== undefined);
    if (key === undefined) return;
    this.said.textContent = '';
    event.preventDefault();
    this.do(key);
  }

  private do(key: TraceKey): void {
    if (this.text !== undefined && this.detail !== undefined) this.does(this.text, this.detail)[key]();
  }

  private does(text: CompletionText, detail: RolloutDetail): Readonly<Record<TraceKey, () => void>> {
    const { place } = this;
    const last = text.steps.length - 1;
    const [first, beyond] = text.piecesOf(place.step);
    const inTokens = place.piece !== undefined;
    const toStep = (step: number) => this.goTo({ step: Math.max(0, Math.min(last, step)), piece: undefined }, true);
    const toPieceOfStep = (piece: number) => this.goTo({ step: place.step, piece }, true);
    return {
      'next-step': () => toStep(place.step + 1),
      'previous-step': () => toStep(place.step - 1),
      'first-step': () => (inTokens ? toPieceOfStep(first) : toStep(0)),
      'last-step': () => (inTokens ? toPieceOfStep(Math.max(first, beyond - 1)) : toStep(last)),
      into: () => {
        if (first < beyond) toPieceOfStep(first);
      },
      out: () => toStep(place.step),
      'all-rules': () => {
        if (this.ui.rule !== undefined) this.look({ rule: undefined });
      },
      'next-token': () => this.toPiece((place.piece ?? first) + 1),
      'previous-token': () => this.toPiece((place.piece ?? first) - 1),
      'next-failing': () => this.nextFailing(),
      'next-uncertain': () => this.nextUncertain(text),
      'next-sibling': () => this.toSibling(detail, 1),
      'previous-sibling': () => this.toSibling(detail, -1),
      later: () => this.toOccurrence(1),
      earlier: () => this.toOccurrence(-1),
      'other-run': () => this.act(() => this.toOtherRun(detail)),
      branch: () => {
        const token = text.pieces.at(place.piece ?? first)?.first;
        if (token !== undefined) void this.branch({ token, force: undefined });
      },
      heat: () => this.look({ heat: heats[(heats.indexOf(this.ui.heat ?? 'none') + 1) % heats.length] as Heat }),
      raw: () => this.look({ raw: this.ui.raw !== true }),
      table: () => {
        this.look({ table: this.ui.table !== true });
        this.tokenPanel?.revealTable();
      },
      link: () => {
        const { folder, ref, token } = this.shown;
        this.act(() => this.host.request('link', { folder, ref, ...(token === undefined ? {} : { token }) }));
      },
      editor: () => {
        const { folder, ref, token } = this.shown;
        const ui = this.ui;
        const state = { view: 'trace', folder, ref, ui, ...(token === undefined ? {} : { token }) } as const;
        this.act(() => this.host.request('open', { ...state, editor: true }));
      },
      test: () => {
        const { folder, ref } = this.shown;
        const { rule } = this.ui;
        this.act(() => this.host.request('makeTest', { folder, ref, ...(rule === undefined ? {} : { rule }) }));
      },
      help: () => {
        this.help.hidden = !this.help.hidden;
        this.showHeader(detail);
      },
    };
  }

  private nextUncertain({ pieces }: CompletionText): void {
    const { tokens } = this;
    if (this.text === undefined) return;
    if (tokens === null) {
      this.say(t('Tokens were not recorded in this file.'));
      return;
    }
    const [first] = this.text.piecesOf(this.place.step);
    const from =
      this.place.piece === undefined ? (pieces.at(first)?.first ?? 0) : (pieces.at(this.place.piece)?.last ?? -1) + 1;
    const token = nextUncertain(tokens, from) ?? nextUncertain(tokens, 0);
    if (token !== undefined) this.goTo(this.text.placeOf(token), true);
    else
      this.say(
        tokens.logprobs === null
          ? t('Probabilities were not recorded.')
          : t('No token here was uncertain: none is below 50%.'),
      );
  }

  private toSibling({ siblings }: RolloutDetail, by: number): void {
    // from where one is going to, so that a key that is pressed twice goes twice as far
    const at = siblings.findIndex(sibling => sibling.ref.sample === this.shown.ref.sample);
    const sibling = siblings[(at + by + siblings.length) % Math.max(1, siblings.length)];
    if (sibling !== undefined) this.go(sibling.ref);
  }

  private toOccurrence(by: number): void {
    const to = this.timeline.from(this.shown.ref, by);
    if (to !== undefined) this.go(to);
    else
      this.say(
        by > 0 ? t('No later step of this run has this example.') : t('No earlier step of this run has this example.'),
      );
  }

  /** At once where one run alone has it; of several one chooses. */
  private async toOtherRun({ cells, ref }: RolloutDetail): Promise<void> {
    const { source, example } = cells;
    if (typeof source !== 'string' || typeof example !== 'string') {
      this.say(t('This folder does not record which example a rollout is of: it cannot be found in another run.'));
      return;
    }
    this.lookingForRuns?.abort();
    const looking = new AbortController();
    this.lookingForRuns = looking;
    this.say(t('Looking…'));
    const found = await this.otherRuns.show(this.shown.folder, { source, example }, ref.step, looking.signal);
    const [only] = found;
    this.say(only === undefined ? t('No other run here has this example.') : '');
    if (only !== undefined && found.length === 1) this.goToRun(only);
  }

  private goToRun({ folder, name, ref }: InRun): void {
    const { token: _, ...rest } = this.shown;
    this.shown = { ...rest, folder, ref };
    this.runName = name;
    this.ui = { ...this.ui, step: 0 };
    this.checkpoints = undefined;
    this.trial.clear();
    this.load();
  }

  private say(text: string): void {
    this.said.textContent = text;
  }

  /** To the token, in the next step where it begins there. */
  private toPiece(piece: number): void {
    const { text } = this;
    if (text === undefined || piece < 0 || piece >= text.pieces.length) return;
    const found = text.placeOf(text.pieces.at(piece)?.last ?? 0);
    this.goTo({ step: found.step, piece }, true);
  }

  private nextFailing(): void {
    const failing = this.parts.filter(isFailing);
    const at = failing.findIndex(({ rule }) => rule === this.ui.rule);
    const next = failing[(at + 1) % Math.max(1, failing.length)];
    if (next === undefined) {
      this.say(t('No rule fails here.'));
      return;
    }
    this.look({ rule: next.rule });
    const span = next.explained?.spans[0];
    if (span !== undefined && this.text !== undefined) {
      const step = this.text.steps.findIndex(one => span.start < one.end);
      if (step >= 0) this.goTo({ step, piece: undefined }, true);
    }
    this.say([modelLine(next.rule), modelLine(next.explained?.why ?? '', 200)].filter(text => text !== '').join(': '));
  }

  private async branch(fork: Fork): Promise<void> {
    const { detail, text } = this;
    if (detail === undefined || text === undefined) return;
    try {
      await part('toolkit');
      this.checkpoints ??= await this.checkpointChoices();
    } catch (error) {
      replace(this.notices, errorNotice(error));
      return;
    }
    // another completion may have come meanwhile
    if (detail !== this.detail) return;
    this.branches ??= this.branchPanel(detail);
    const { branches } = this;
    const piece = text.pieces.at(text.pieces.of(fork.token) ?? text.pieces.length);
    branches.open(fork, this.checkpoints, detail.completion.slice(0, piece?.start ?? detail.completion.length));
  }

  private branchPanel(detail: RolloutDetail): BranchPanel {
    const { folder } = this.shown;
    const panel = new BranchPanel(folder, detail.ref, rewardOf(detail).reward, (params, signal, onBranching) =>
      this.host.request('branch', params, { signal, onBranching }),
    );
    this.middle.append(panel.element);
    return panel;
  }

  /** Those of the run, the newest first, and what it began from. */
  private async checkpointChoices(): Promise<readonly Choice[]> {
    const { checkpoints } = await this.host.request('curves', { folder: this.shown.folder });
    const names = checkpoints.map(({ folder }) => folder.split(/[\\/]/).at(-1) ?? folder);
    return [
      ...names.toReversed().map(name => ({ value: name, label: name })),
      { value: 'base', label: t('base: what the run began from') },
    ];
  }

  private act(request: () => Promise<unknown>): void {
    request().catch(error => {
      if (!isAbort(error)) replace(this.notices, errorNotice(error));
    });
  }

  private keep(): void {
    this.host.keep({ ...this.shown, ui: this.ui });
  }
}

connect().then(({ host, state }) => {
  speak(host.strings);
  if (state.view === 'trace') new TraceView(host, state);
});
