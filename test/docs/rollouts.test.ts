// The filters of docs/rollouts.md, read as the page shows them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Column } from '../../src/protocol/query';
import { checkFilter } from '../../src/query/filter/check';

describe('docs/rollouts.md', () => {
  const page = readFileSync('docs/rollouts.md', 'utf8');
  const table = page.slice(page.indexOf('| filter '), page.indexOf('Columns are those'));
  const filters = [...table.matchAll(/^\| (?:`` (.+?) ``|`(.+?)`) +\|/gm)].map(([, double, single]) =>
    (double ?? single ?? '').replaceAll('\\|', '|'),
  );
  const column = (name: string, type: Column['type']): Column => ({ name, type });
  const columns: readonly Column[] = [
    ...['phase', 'outcome', 'example', 'answer', 'gold'].map(name => column(name, 'text')),
    ...['reward', 'accuracy', 'format', 'advantage', 'completion_tokens', 'prompt_tokens', 'step', 'mean_entropy'].map(
      name => column(name, 'number'),
    ),
    column('truncated', 'boolean'),
  ];

  it('shows filters that are understood', () => {
    assert.equal(filters.length, 10);
    for (const filter of filters) assert.notEqual(checkFilter(filter, columns).kind, 'always', filter);
  });
});
