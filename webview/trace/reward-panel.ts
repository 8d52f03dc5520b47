// Why this completion was paid what it was: each rule with its score, weight and sentence, their sum, and how that stands
// among the completions of its group.

import type { RolloutDetail, RolloutRef } from '../../src/protocol/query';
import type { RuleScore } from '../../src/protocol/rewards';
import { iconButton } from '../components/controls';
import { h, icon, replace } from '../dom';
import { modelLine } from '../model-text';
import { figure, signed, t } from '../words';

export interface RewardActions {
  readonly openRule: (rule: string) => void;
  /** Shows the marks of this rule alone; undefined: of all. */
  readonly light: (rule: string | undefined) => void;
  readonly go: (ref: RolloutRef) => void;
}

/** One rule's part in the reward. */
export interface RulePart {
  readonly rule: string;
  readonly score: number | null;
  readonly weight: number | undefined;
  readonly explained: RuleScore | undefined;
}

export function rulePartsOf({ scores, weights, explained }: RolloutDetail): readonly RulePart[] {
  const names = [...new Set([...Object.keys(scores), ...Object.keys(explained ?? {})])];
  return names.map(rule => ({
    rule,
    score: scores[rule] ?? null,
    weight: weights?.[rule],
    explained: explained?.[rule],
  }));
}

/** Pays nothing, less than nothing, or could not be asked. */
export const isFailing = ({ score, explained }: RulePart): boolean =>
  explained?.off !== true && (explained?.error !== undefined || (score !== null && score <= 0));

export class RewardPanel {
  readonly element = h('section', { class: 'reward-panel', 'aria-labelledby': 'reward-title' });
  private lit: string | undefined;

  constructor(private readonly does: RewardActions) {}

  show(detail: RolloutDetail, parts: readonly RulePart[], lit: string | undefined): void {
    this.lit = lit;
    const { reward, advantage } = rewardOf(detail);
    replace(
      this.element,
      h('h2', { id: 'reward-title' }, t('Reward')),
      h('ul', { class: 'rules' }, ...parts.map((part, number) => this.rule(part, number))),
      h(
        'dl',
        { class: 'sums' },
        h('dt', {}, t('Reward')),
        h('dd', {}, reward === null ? t('not recorded') : figure(reward)),
        h('dt', {}, t('Advantage')),
        h('dd', { class: signClass(advantage) }, advantage === null ? t('not recorded') : signed(advantage)),
      ),
      this.group(detail, reward),
    );
  }

  private rule(part: RulePart, number: number): HTMLElement {
    const { rule, score, weight, explained } = part;
    const isLit = this.lit === rule;
    const pays = score !== null && weight !== undefined ? score * weight : undefined;
    const spans = explained?.spans.length ?? 0;
    return h(
      'li',
      { class: `rule rule-${number % 6}${isFailing(part) ? ' failing' : ''}`, 'data-rule': rule },
      h(
        'div',
        { class: 'rule-line' },
        h(
          'button',
          {
            type: 'button',
            class: 'rule-name',
            'aria-pressed': String(isLit),
            title: t('Show only what this rule matched'),
            on: { click: () => this.does.light(isLit ? undefined : rule) },
          },
          icon(isFailing(part) ? 'error' : 'pass'),
          modelLine(rule),
        ),
        h(
          'span',
          { class: 'rule-sum' },
          score === null ? t('not recorded') : figure(score),
          weight !== undefined && ` × ${figure(weight)}`,
          pays !== undefined && h('b', {}, ` = ${signed(pays)}`),
        ),
        iconButton('edit', t('Open the rule {0} where it is written', modelLine(rule)), () => this.does.openRule(rule)),
      ),
      explained !== undefined &&
        h(
          'p',
          { class: 'why' },
          explained.off === true ? t('Not asked here: its condition does not hold.') : modelLine(explained.why, 400),
          spans > 0 && ` ${spans === 1 ? t('One place marked.') : t('{0} places marked.', spans)}`,
        ),
    );
  }

  private group({ siblings, ref }: RolloutDetail, reward: number | null): HTMLElement | undefined {
    const rewards = siblings.flatMap(sibling => (sibling.reward === null ? [] : [sibling.reward]));
    if (siblings.length < 2) return undefined;
    const mean = rewards.reduce((sum, one) => sum + one, 0) / Math.max(1, rewards.length);
    const most = Math.max(...rewards.map(Math.abs), 1e-9);
    const compared =
      reward === null || rewards.length === 0
        ? ''
        : rewards.every(one => one === rewards[0])
          ? t('All {0} completions of the group were paid the same: they teach nothing.', rewards.length)
          : t(
              'The group was paid {0} on average, from {1} to {2}.',
              figure(mean),
              figure(Math.min(...rewards)),
              figure(Math.max(...rewards)),
            );
    return h(
      'div',
      { class: 'group' },
      h('h3', {}, t('Its group')),
      h('p', { class: 'why' }, compared),
      h(
        'div',
        { class: 'siblings', role: 'toolbar', 'aria-label': t('Completions of the group') },
        ...siblings.map(sibling => {
          const here = sibling.ref.sample === ref.sample;
          const level = sibling.reward === null ? 0 : Math.round((Math.abs(sibling.reward) / most) * 10);
          return h(
            'button',
            {
              type: 'button',
              class: `sibling level-${level}${sibling.reward !== null && sibling.reward < 0 ? ' negative' : ''}`,
              'aria-current': here ? 'true' : undefined,
              title: t(
                'Completion {0}: reward {1}',
                sibling.ref.sample + 1,
                sibling.reward === null ? '–' : figure(sibling.reward),
              ),
              'aria-label': t(
                'Completion {0}: reward {1}',
                sibling.ref.sample + 1,
                sibling.reward === null ? '–' : figure(sibling.reward),
              ),
              on: { click: () => this.does.go(sibling.ref) },
            },
            h('span', { class: 'bar' }),
          );
        }),
      ),
    );
  }
}

export function rewardOf({ cells, siblings, ref }: RolloutDetail): {
  readonly reward: number | null;
  readonly advantage: number | null;
} {
  const own = siblings.find(sibling => sibling.ref.sample === ref.sample);
  const cell = (name: string) => (typeof cells[name] === 'number' ? (cells[name] as number) : null);
  return { reward: own?.reward ?? cell('reward'), advantage: own?.advantage ?? cell('advantage') };
}

const signClass = (value: number | null): string =>
  value === null || value === 0 ? '' : value > 0 ? 'positive' : 'negative';
