// Filter and search as one condition.

import type { Column, Selection } from '../../protocol/query';
import { type Condition, checkFilter } from '../filter/check';
import { checkPattern } from '../filter/pattern';

export function conditionOf({ filter = '', search = '' }: Selection, columns: readonly Column[]): Condition {
  const filtered = checkFilter(filter, columns);
  if (search.trim() === '') return filtered;
  const searched: Condition = { kind: 'or', left: searchIn('completion', search), right: searchIn('prompt', search) };
  return filtered.kind === 'always' ? searched : { kind: 'and', left: filtered, right: searched };
}

/** A text without a capital letter finds capital ones too. */
function searchIn(name: string, search: string): Condition {
  const term = { kind: 'column', name, type: 'text' } as const;
  const [, source, flags = ''] = /^\/(.+)\/([a-z]*)$/s.exec(search) ?? [];
  if (source !== undefined)
    return { kind: 'matches', term, pattern: checkPattern(source, flags, { start: 0, end: search.length }) };
  const fold = search === search.toLowerCase();
  return { kind: 'contains', term, text: search, ...(fold ? { fold } : {}) };
}
