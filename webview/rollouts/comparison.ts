// The same example twice: at two steps, or in two runs, with all completions of its group on either side.

import type { Occurrence, RolloutDetail, RolloutRef, RolloutRow } from '../../src/protocol/query';
import { dropdown } from '../components/controls';
import { iconButton } from '../components/icon-button';
import { errorNotice } from '../components/notice';
import type { Pictures } from '../components/pictures';
import { h, replace } from '../dom';
import { type Host, isAbort } from '../host';
import { modelText } from '../model-text';
import { figure, t } from '../words';
import { advantage, outcome, scoreChip } from './columns';

export interface NamedRun {
  readonly folder: string;
  readonly name: string;
}

export interface ComparisonListeners {
  readonly open: (folder: string, ref: RolloutRef) => void;
  readonly openRule: (folder: string, rule: string) => void;
  readonly close: () => void;
}

interface Example {
  readonly source: string;
  readonly example: string;
}

export class Comparison {
  readonly element = h('section', { class: 'comparison-view', hidden: true, 'aria-label': t('Side by side') });
  private sides: readonly Side[] = [];

  constructor(
    private readonly host: Host,
    private readonly pictures: Pictures,
    private readonly listeners: ComparisonListeners,
  ) {
    this.element.addEventListener('keydown', event => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      listeners.close();
    });
  }

  /** @param runs the run of the rollout first */
  show(runs: readonly NamedRun[], { ref, cells, question, images }: RolloutDetail): void {
    const { source, example } = cells;
    this.element.hidden = false;
    const close = iconButton('close', t('Back to the list (Esc)'), this.listeners.close);
    const known = typeof source === 'string' && typeof example === 'string' ? { source, example } : undefined;
    const [first] = runs;
    if (known === undefined || first === undefined) {
      const text = t('This folder does not record which example a rollout is of: it cannot be found at another step.');
      replace(this.element, h('div', { class: 'comparison-head' }, h('p', {}, text), close));
      return;
    }
    this.sides = [
      new Side(this.host, this.listeners, known, runs, first.folder, { step: ref.step }),
      new Side(this.host, this.listeners, known, runs, (runs[1] ?? first).folder, { after: ref.step }),
    ];
    const [image] = images;
    replace(
      this.element,
      h(
        'div',
        { class: 'comparison-head' },
        image !== undefined && this.pictures.thumbnail(image, t('image of the example')),
        h('p', { class: 'model-text clamped' }, ...modelText(question ?? '', 600)),
        close,
      ),
      h('div', { class: 'sides' }, ...this.sides.map(side => side.element)),
    );
    close.focus();
  }

  hide(): void {
    this.element.hidden = true;
    for (const side of this.sides) side.close();
    this.sides = [];
  }
}

type Wanted = { readonly step: number } | { readonly after: number };

class Side {
  private readonly run: ReturnType<typeof dropdown>;
  private readonly step: ReturnType<typeof dropdown>;
  private readonly facts = h('span', { class: 'muted' });
  private readonly body = h('div', { class: 'side-body', tabindex: 0, role: 'group' });
  readonly element: HTMLElement;
  private asking = new AbortController();

  constructor(
    private readonly host: Host,
    private readonly listeners: ComparisonListeners,
    private readonly example: Example,
    runs: readonly NamedRun[],
    private folder: string,
    wanted: Wanted,
  ) {
    this.run = dropdown(t('Run'), folder => {
      this.folder = folder;
      this.load({ after: -1 });
    });
    this.step = dropdown(t('Step'), step => this.load({ step: Number(step) }));
    this.run.offer(
      runs.map(({ folder, name }) => ({ value: folder, label: name })),
      folder,
    );
    this.element = h(
      'div',
      { class: 'side' },
      h('div', { class: 'side-head' }, runs.length > 1 && this.run.element, this.step.element, this.facts),
      this.body,
    );
    this.load(wanted);
  }

  close(): void {
    this.asking.abort();
  }

  private load(wanted: Wanted): void {
    this.asking.abort();
    this.asking = new AbortController();
    this.ask(wanted, this.asking.signal).catch(error => {
      if (!isAbort(error)) replace(this.body, errorNotice(error));
    });
  }

  private async ask(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { host, folder, example } = this;
    const occurrences = await host.request('occurrences', { folder, ...example }, { signal });
    const steps = [...new Map(occurrences.map(one => [one.step, one])).values()];
    const step =
      'step' in wanted
        ? wanted.step
        : (steps.find(one => one.step > wanted.after) ?? steps.findLast(one => one.step < wanted.after) ?? steps[0])
            ?.step;
    this.step.offer(
      steps.map(one => ({ value: String(one.step), label: labelOf(one) })),
      String(step),
    );
    this.body.setAttribute('aria-label', t('Completions at step {0}', step ?? 0));
    if (step === undefined) {
      this.facts.textContent = '';
      replace(this.body, h('p', { class: 'muted' }, t('The example does not occur in this run.')));
      return;
    }
    const quoted = (text: string): string => JSON.stringify(text);
    const page = await host.request(
      'rollouts',
      {
        folder,
        filter: `step == ${step} and source == ${quoted(example.source)} and example == ${quoted(example.example)}`,
        offset: 0,
        limit: 64,
        columns: [
          'reward',
          'advantage',
          'outcome',
          'truncated',
          ...(await host.request('summary', { folder }, { signal })).rules,
        ],
      },
      { signal },
    );
    this.fill(page.rows);
  }

  private fill(rows: readonly RolloutRow[]): void {
    const rewards = rows.map(({ cells }) => cells['reward']).filter(value => typeof value === 'number');
    this.facts.textContent =
      rewards.length === 0
        ? ''
        : t('mean reward {0} of {1}', figure(rewards.reduce((a, b) => a + b, 0) / rewards.length), rewards.length);
    replace(
      this.body,
      ...rows.map(row => {
        const { cells, ref } = row;
        const rules = Object.keys(cells).filter(
          name => !['reward', 'advantage', 'outcome', 'truncated'].includes(name),
        );
        return h(
          'article',
          { class: 'compared' },
          h(
            'div',
            { class: 'compared-head' },
            h(
              'button',
              { type: 'button', class: 'link', on: { click: () => this.listeners.open(this.folder, ref) } },
              t('sample {0}', ref.sample),
            ),
            ...outcome(cells['outcome'] ?? null, cells['truncated'] ?? null),
            ...rules.map(rule => scoreChip(rule, typeof cells[rule] === 'number' ? cells[rule] : null)),
            advantage(typeof cells['advantage'] === 'number' ? cells['advantage'] : null),
          ),
          h('div', { class: 'completion model-text' }, ...modelText(row.completion, 2000), row.cut && ' …'),
        );
      }),
    );
  }
}

const labelOf = ({ step, phase }: Occurrence): string =>
  phase === null ? t('step {0}', step) : t('step {0} · {1}', step, phase);
