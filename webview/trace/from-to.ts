// A figure before and after a change: told by an arrow and a sign, and not by its colour alone.

import { h } from '../dom';
import { figure } from '../words';

export function fromTo(
  before: number | null,
  after: number | null,
  shown: (value: number) => string = figure,
  better: 'more' | 'less' = 'more',
): readonly (HTMLElement | string)[] {
  if (after === null) return ['–'];
  if (before === null) return [shown(after)];
  const change = after - before;
  if (Math.abs(change) < 1e-9) return [shown(after)];
  return [
    `${shown(before)} → `,
    h('b', { class: change > 0 === (better === 'more') ? 'positive' : 'negative' }, shown(after)),
  ];
}
