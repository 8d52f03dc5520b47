// What a view says beside what it shows: an error that answered a question, notes, files that could not be read.

import type { ErrorRecord } from '../../src/protocol/error-record';
import type { LeftOut } from '../../src/protocol/source-report';
import { h, icon } from '../dom';
import { RequestError } from '../host';
import { count, t } from '../words';

export function errorNotice(error: unknown, retry?: () => void): HTMLElement {
  const record: ErrorRecord =
    error instanceof RequestError
      ? error.record
      : { code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
  const { place } = record;
  const at =
    place === undefined ? '' : `${[place.file, place.line, place.column].filter(p => p !== undefined).join(':')}: `;
  return h(
    'div',
    { class: 'notice notice-error', role: 'alert' },
    icon('error'),
    h(
      'span',
      {},
      `${at}${record.message}`,
      record.remedy !== undefined && h('span', { class: 'remedy' }, ` ${record.remedy}`),
    ),
    retry !== undefined && h('button', { type: 'button', class: 'link', on: { click: retry } }, t('Try again')),
  );
}

export const note = (text: string): HTMLElement => h('div', { class: 'notice' }, icon('info'), h('span', {}, text));

export function unreadableNotes(unreadable: readonly LeftOut[]): readonly HTMLElement[] {
  return unreadable.map(({ reason, count: n, first }) => {
    const where = first === undefined ? '' : ` (${first.file}${first.line === undefined ? '' : `:${first.line}`})`;
    return h(
      'div',
      { class: 'notice notice-warning' },
      icon('warning'),
      h('span', {}, `${count(n)} × ${reason}${where}`),
    );
  });
}
