// The same example in other runs: who has it, and at which step. Each is asked when somebody wants to know, the nearest step
// of each is where one goes.

import type { Occurrence, RolloutRef } from '../../src/protocol/query';
import { rovingToolbar } from '../components/roving';
import { h, replace } from '../dom';
import type { Host } from '../host';
import { modelLine } from '../model-text';
import { figure, t } from '../words';

export interface ExampleName {
  readonly source: string;
  readonly example: string;
}

export interface InRun {
  readonly folder: string;
  readonly name: string;
  readonly ref: RolloutRef;
  /** Mean of its group there. */
  readonly reward: number | null;
}

export class OtherRuns {
  readonly element = h('div', { class: 'other-runs', hidden: true });
  private looking: AbortController | undefined;

  constructor(
    private readonly host: Host,
    private readonly go: (run: InRun) => void,
  ) {
    this.element.addEventListener('keydown', event => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.hide();
    });
  }

  /** What is still looked for is not waited for. */
  hide(): void {
    this.looking?.abort();
    this.element.hidden = true;
    replace(this.element);
  }

  /** @returns those that have the example; they are shown where there is a choice */
  async show(folder: string, example: ExampleName, step: number): Promise<readonly InRun[]> {
    this.looking?.abort();
    this.looking = new AbortController();
    const { signal } = this.looking;
    const runs = (await this.host.request('runs', null, { signal })).filter(run => run.folder !== folder);
    const found = await Promise.all(runs.map(run => this.inRun(run, example, step, signal)));
    signal.throwIfAborted();
    const there = found.filter(one => one !== undefined);
    if (there.length < 2) {
      this.hide();
      return there;
    }
    const buttons = there.map(one =>
      h(
        'button',
        {
          type: 'button',
          class: 'link',
          on: {
            click: () => {
              this.hide();
              this.go(one);
            },
          },
        },
        t('{0}, step {1}: mean reward {2}', modelLine(one.name), one.ref.step, figure(one.reward)),
      ),
    );
    const row = h('div', {
      class: 'other-runs-row',
      role: 'toolbar',
      'aria-label': t('The same example in other runs'),
    });
    row.append(...buttons);
    replace(this.element, h('span', { class: 'timeline-title' }, t('This example in')), row);
    this.element.hidden = false;
    rovingToolbar(row);
    buttons[0]?.focus();
    return there;
  }

  private async inRun(
    { folder, name }: { readonly folder: string; readonly name: string },
    example: ExampleName,
    step: number,
    signal: AbortSignal,
  ): Promise<InRun | undefined> {
    // a run that cannot be read has nothing to go to
    const all = await this.host.request('occurrences', { folder, ...example }, { signal }).catch(() => []);
    const nearest = nearestStep(all, step);
    if (nearest === undefined) return undefined;
    const group = all.filter(one => one.step === nearest.step && one.group === nearest.group);
    const rewards = group.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const mean = rewards.length === 0 ? null : rewards.reduce((sum, one) => sum + one, 0) / rewards.length;
    const { group: number, sample } = nearest;
    return { folder, name, ref: { step: nearest.step, group: number, sample }, reward: mean };
  }
}

function nearestStep(all: readonly Occurrence[], step: number): Occurrence | undefined {
  let nearest: Occurrence | undefined;
  for (const one of all)
    if (nearest === undefined || Math.abs(one.step - step) < Math.abs(nearest.step - step)) nearest = one;
  return nearest;
}
