// Which rules the curves of rewards are of: those that paid at each step, or one set of rules for the whole run.

import type { Curves } from '../../src/protocol/query';
import type { RecomputedCurves, RecomputeProgress } from '../../src/protocol/trial';
import { dropdown } from '../components/controls';
import { errorNotice, note } from '../components/notice';
import { h, replace } from '../dom';
import { isAbort } from '../host';
import { count, t } from '../words';
import type { Recomputed } from './figures';

/** A version of the run, or its config as it stands. */
export type Under = number | 'now';

export interface RecomputationParts {
  readonly ask: (
    under: Under,
    wishes: { readonly signal: AbortSignal; readonly onRecomputing: (progress: RecomputeProgress) => void },
  ) => Promise<RecomputedCurves>;
  /** Other curves are to be drawn, or another choice is to be kept. */
  readonly changed: () => void;
}

interface Shown {
  readonly under: Under;
  readonly curves: RecomputedCurves;
}

const paid = 'paid';

export class Recomputation {
  /** What was asked for; what is shown may still be what was before. */
  under: Under | undefined;
  private shown: Shown | undefined;
  private asking: AbortController | undefined;
  private folder: string | undefined;
  private offered = '';
  private versions: Curves['rules'] = [];

  private readonly choice = dropdown(t('Reward curves'), value => this.choose(underOf(value)));
  private readonly bar = h('progress', { class: 'progress', 'aria-label': t('Rollouts that are scored anew') });
  private readonly said = h('span', { class: 'recomputing-said' });
  private readonly progress = h(
    'span',
    { class: 'recomputing', hidden: true },
    this.bar,
    this.said,
    h('button', { type: 'button', class: 'link', on: { click: () => this.cancel() } }, t('Cancel')),
  );
  private readonly again = h(
    'button',
    { type: 'button', class: 'link', hidden: true, on: { click: () => this.ask() } },
    t('Recompute'),
  );
  /** Stands in the line of tools. */
  readonly element = h(
    'div',
    { class: 'recompute', hidden: true },
    h('span', { 'aria-hidden': 'true' }, t('Reward curves')),
    this.choice.element,
    this.progress,
    this.again,
  );
  /** Stands below it: why rules cannot be asked. */
  readonly notice = h('div', { class: 'recompute-notice' });
  private refused = false;

  constructor(private readonly parts: RecomputationParts) {}

  /** Undefined: as paid. */
  get recomputed(): Recomputed | undefined {
    if (this.shown === undefined) return undefined;
    const { under, curves } = this.shown;
    const rollouts = count(curves.rollouts);
    const said =
      under === 'now'
        ? t('recomputed under the rules in the file now, for {0} rollouts', rollouts)
        : t('recomputed under version {0}, for {1} rollouts', under, rollouts);
    return { curves, note: said };
  }

  /** @param runs that are shown: with several of them, each is as it was paid */
  update(runs: readonly Curves[]): void {
    const [run] = runs;
    this.versions = runs.length === 1 ? (run?.rules ?? []) : [];
    this.element.hidden = this.versions.length === 0;
    const { folder } = this;
    this.folder = run?.folder;
    if (this.versions.length === 0 || (folder !== undefined && folder !== run?.folder)) {
      this.asking?.abort();
      this.asking = undefined;
      this.shown = undefined;
    }
    if (this.versions.length === 0) return;
    this.offer();
    if (this.under === undefined || this.asking !== undefined || this.refused) return;
    const last = run?.steps.at(-1);
    if (this.shown?.under !== this.under || (last !== undefined && last > (this.shown.curves.steps.at(-1) ?? -1)))
      this.ask();
  }

  private offer(): void {
    const { versions, under } = this;
    const shape = JSON.stringify([versions, under]);
    if (shape === this.offered) return;
    this.offered = shape;
    this.choice.offer(
      [
        { value: paid, label: t('As paid') },
        ...versions.map(({ version, fromStep }) => ({
          value: String(version),
          label: t('Version {0}, from step {1}', version, fromStep),
        })),
        { value: 'now', label: t('Rules in the file now') },
      ],
      under === undefined ? paid : String(under),
    );
  }

  private choose(under: Under | undefined): void {
    this.under = under;
    this.notice.replaceChildren();
    if (under === undefined) {
      this.asking?.abort();
      this.shown = undefined;
    } else this.ask();
    this.settle();
  }

  /** What is shown stays. */
  private cancel(): void {
    this.asking?.abort();
    this.under = this.shown?.under;
    this.settle();
  }

  private ask(): void {
    const { under } = this;
    if (under === undefined) return;
    this.asking?.abort();
    this.refused = false;
    this.notice.replaceChildren();
    const asking = new AbortController();
    this.asking = asking;
    this.bar.removeAttribute('value');
    this.said.textContent = '';
    this.showProgress();
    this.parts
      .ask(under, { signal: asking.signal, onRecomputing: progress => this.tell(progress) })
      .then(
        curves => {
          this.shown = { under, curves };
          replace(
            this.notice,
            ...curves.failed.map(({ rule, rollouts }) =>
              note(
                t(
                  '{0} says nothing of {1} rollouts: it broke, or they do not hold what it asks for.',
                  rule,
                  count(rollouts),
                ),
              ),
            ),
          );
        },
        (error: unknown) => {
          if (isAbort(error) || this.asking !== asking) return;
          this.under = this.shown?.under;
          this.refused = true;
          replace(this.notice, errorNotice(error));
        },
      )
      .finally(() => {
        if (this.asking !== asking) return;
        this.asking = undefined;
        this.settle();
      });
  }

  private tell({ files, ofFiles, rollouts }: RecomputeProgress): void {
    this.bar.max = Math.max(1, ofFiles);
    this.bar.value = files;
    this.said.textContent = t('{0} rollouts', count(rollouts));
  }

  private settle(): void {
    if (this.asking?.signal.aborted === true) this.asking = undefined;
    this.offer();
    this.showProgress();
    this.parts.changed();
  }

  private showProgress(): void {
    this.progress.hidden = this.asking === undefined;
    // the file may be another by now
    this.again.hidden = this.asking !== undefined || this.shown?.under !== 'now';
  }
}

const underOf = (value: string): Under | undefined =>
  value === 'now' ? 'now' : value === paid ? undefined : Number(value);
