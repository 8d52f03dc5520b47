// The columns that a view can show of a folder: those that its files hold, and those that they should.

import type { Column } from '../../protocol/query';
import type { Shelved } from '../shelf';

/** What a rollout is expected to have, in the order of interest. */
const expected: readonly Column[] = [
  { name: 'step', type: 'number' },
  { name: 'phase', type: 'text' },
  { name: 'group', type: 'number' },
  { name: 'sample', type: 'number' },
  { name: 'reward', type: 'number' },
  { name: 'advantage', type: 'number' },
  { name: 'outcome', type: 'text' },
  { name: 'answer', type: 'text' },
  { name: 'gold', type: 'text' },
  { name: 'completion_tokens', type: 'number' },
  { name: 'truncated', type: 'boolean' },
  { name: 'prompt_tokens', type: 'number' },
  { name: 'characters', type: 'number' },
  { name: 'mean_logprob', type: 'number' },
  { name: 'mean_entropy', type: 'number' },
  { name: 'view', type: 'text' },
  { name: 'source', type: 'text' },
  { name: 'example', type: 'text' },
];

export function columnsOf({ columns, rules }: Pick<Shelved, 'columns' | 'rules'>): readonly Column[] {
  const held = new Map(columns.map(({ name, type }) => [name, { name, type }]));
  const known = new Set([...expected.map(({ name }) => name), ...rules]);
  const named = (column: Column): Column => held.get(column.name) ?? { ...column, notRecorded: true };
  const place = expected.findIndex(({ name }) => name === 'advantage');
  return [
    ...expected.slice(0, place).map(named),
    ...rules.map((name): Column => ({ ...named({ name, type: 'number' }), rule: true })),
    ...expected.slice(place).map(named),
    ...[...held.values()].filter(({ name }) => !known.has(name)),
  ];
}
