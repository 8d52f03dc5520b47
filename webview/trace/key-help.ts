// The keys of a trace as they are shown: the most used in a line, all of them on demand.

import { h } from '../dom';
import { t } from '../words';
import { bindings, type TraceKey } from './keys';

const inTheLine: ReadonlySet<TraceKey> = new Set([
  'next-step',
  'into',
  'next-failing',
  'next-uncertain',
  'next-sibling',
  'later',
  'branch',
  'heat',
  'raw',
  'table',
  'help',
]);

const shown = (of: typeof bindings): readonly HTMLElement[] =>
  of.map(({ shown: key, says }) => h('span', { class: 'key' }, h('kbd', {}, key), ' ', t(says)));

export const keysLine = (): HTMLElement =>
  h('div', { class: 'keys-line' }, ...shown(bindings.filter(({ does }) => inTheLine.has(does))));

export const allKeys = (): HTMLElement =>
  h('section', { class: 'help', hidden: true, 'aria-label': t('Keys') }, ...shown(bindings));
