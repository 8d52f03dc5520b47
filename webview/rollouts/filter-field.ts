// The filter as it is typed: names, operators and values are offered at the caret, and what is wrong is said below it, with
// a mark at its place.

import type { Column } from '../../src/protocol/query';
import { h, icon, replace } from '../dom';
import { modelLine } from '../model-text';
import { t } from '../words';

interface Offer {
  readonly text: string;
  readonly about: string;
}

export interface FilterListeners {
  /** Enter, or the field is left with another text. */
  readonly apply: (filter: string) => void;
  readonly valuesOf: (column: string) => Promise<readonly string[]>;
}

const words = ['and', 'or', 'not'];
const operators: Readonly<Record<Column['type'], readonly Offer[]>> = {
  number: ['==', '!=', '<', '<=', '>', '>='].map(text => ({ text, about: '' })),
  boolean: ['==', '!='].map(text => ({ text, about: '' })),
  text: [
    { text: '==', about: '' },
    { text: '!=', about: '' },
    { text: '~', about: 'regular expression' },
    { text: 'contains', about: 'a text' },
  ],
};

export class FilterField {
  private readonly input = h('input', {
    type: 'text',
    class: 'filter-input',
    role: 'combobox',
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: t('Filter: reward < 0.5 and completion ~ /wait/i'),
    'aria-label': t('Filter'),
    'aria-expanded': 'false',
    'aria-controls': 'filter-offers',
    'aria-autocomplete': 'list',
  });
  private readonly offers = h('ul', {
    class: 'offers',
    role: 'listbox',
    id: 'filter-offers',
    'aria-label': t('What may come here'),
    hidden: true,
  });
  private readonly problem = h('div', { class: 'filter-problem', role: 'alert', id: 'filter-problem', hidden: true });
  readonly element = h('div', { class: 'filter' }, icon('filter'), this.input, this.offers, this.problem);
  private columns: readonly Column[] = [];
  private offered: readonly Offer[] = [];
  private chosen = -1;
  /** Where the word under the caret begins. */
  private from = 0;
  private applied = '';
  private asked = 0;
  /** Asked for once: what is offered keeps up with the keys. */
  private readonly values = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly listeners: FilterListeners) {
    const { input } = this;
    input.addEventListener('input', () => void this.offer());
    input.addEventListener('keydown', event => this.onKey(event));
    input.addEventListener('blur', () => {
      this.close();
      this.apply();
    });
  }

  set value(filter: string) {
    this.input.value = filter;
    this.applied = filter;
  }

  offerColumns(columns: readonly Column[]): void {
    this.values.clear();
    const texts: readonly Column[] = ['completion', 'prompt'].map(name => ({ name, type: 'text' }));
    this.columns = [...columns, ...texts.filter(({ name }) => !columns.some(column => column.name === name))];
  }

  focus(): void {
    this.input.focus();
  }

  /** @param column of the mistake in the text, from 1; undefined takes what was said away */
  complain(message: string | undefined, column?: number): void {
    const { input, problem } = this;
    problem.hidden = message === undefined;
    input.setAttribute('aria-invalid', String(message !== undefined));
    if (message === undefined) input.removeAttribute('aria-describedby');
    else input.setAttribute('aria-describedby', 'filter-problem');
    replace(
      problem,
      column !== undefined && h('span', { class: 'caret', 'aria-hidden': 'true' }, `${' '.repeat(column - 1)}^`),
      message !== undefined && h('span', {}, message),
    );
  }

  private valuesOf(column: string): Promise<readonly string[]> {
    const values = this.values.get(column) ?? this.listeners.valuesOf(column);
    this.values.set(column, values);
    return values;
  }

  private apply(): void {
    const filter = this.input.value.trim();
    if (filter === this.applied) return;
    this.applied = filter;
    this.listeners.apply(filter);
  }

  private async offer(): Promise<void> {
    const asked = ++this.asked;
    const { input, columns } = this;
    const before = input.value.slice(0, input.selectionStart ?? input.value.length);
    const { offers, from } = await offersAt(before, columns, column => this.valuesOf(column));
    if (asked !== this.asked || document.activeElement !== input) return;
    const typed = before.slice(from).toLowerCase();
    const fitting = offers.filter(({ text }) => text.toLowerCase().startsWith(typed) && text.toLowerCase() !== typed);
    this.from = from;
    this.offered = fitting.slice(0, 12);
    this.choose(-1);
    this.offers.hidden = this.offered.length === 0;
    input.setAttribute('aria-expanded', String(this.offered.length > 0));
    replace(
      this.offers,
      ...this.offered.map(({ text, about }, i) => {
        const item = h(
          'li',
          { role: 'option', id: `offer-${i}`, 'aria-selected': 'false' },
          h('bdi', {}, modelLine(text, 80)),
          h('span', { class: 'muted' }, about),
        );
        item.addEventListener('mousedown', event => {
          event.preventDefault();
          this.take(i);
        });
        return item;
      }),
    );
  }

  private choose(index: number): void {
    this.chosen = index;
    for (const [i, item] of [...this.offers.children].entries())
      item.setAttribute('aria-selected', String(i === index));
    if (index < 0) this.input.removeAttribute('aria-activedescendant');
    else this.input.setAttribute('aria-activedescendant', `offer-${index}`);
  }

  private take(index: number): void {
    const offer = this.offered[index];
    if (offer === undefined) return;
    const { input } = this;
    const caret = input.selectionStart ?? input.value.length;
    input.setRangeText(`${offer.text} `, this.from, caret, 'end');
    void this.offer();
  }

  private close(): void {
    this.asked += 1;
    this.offers.hidden = true;
    this.offered = [];
    this.input.setAttribute('aria-expanded', 'false');
    this.choose(-1);
  }

  private onKey(event: KeyboardEvent): void {
    const open = this.offered.length > 0;
    const handled = (work: () => void): void => {
      event.preventDefault();
      event.stopPropagation();
      work();
    };
    if (event.key === 'ArrowDown' && open) handled(() => this.choose((this.chosen + 1) % this.offered.length));
    else if (event.key === 'ArrowDown') handled(() => void this.offer());
    else if (event.key === 'ArrowUp' && open)
      handled(() => this.choose((this.chosen - 1 + this.offered.length) % this.offered.length));
    else if ((event.key === 'Enter' || event.key === 'Tab') && open && this.chosen >= 0)
      handled(() => this.take(this.chosen));
    else if (event.key === 'Enter')
      handled(() => {
        this.close();
        this.apply();
      });
    else if (event.key === 'Escape' && open) handled(() => this.close());
  }
}

/** What may come at the end of the text, and where the word that is being written begins. */
export async function offersAt(
  before: string,
  columns: readonly Column[],
  valuesOf: FilterListeners['valuesOf'],
): Promise<{ readonly offers: readonly Offer[]; readonly from: number }> {
  const compared = /([A-Za-z_][\w/]*)\s*(==|!=)\s*("[^"]*|[\w.]*)$/.exec(before);
  if (compared !== null) {
    const [, name = '', , value = ''] = compared;
    const column = columns.find(one => one.name === name);
    const from = before.length - value.length;
    if (column?.type === 'boolean') return { from, offers: ['true', 'false'].map(text => ({ text, about: '' })) };
    if (column?.type !== 'text' || column.name === 'completion' || column.name === 'prompt')
      return { from, offers: [] };
    const values = await valuesOf(name).catch(() => []);
    return { from, offers: values.map(text => ({ text: JSON.stringify(text), about: '' })) };
  }
  const after = /([A-Za-z_][\w/]*)\s+(\S*)$/.exec(before);
  const column = after === null ? undefined : columns.find(({ name }) => name === after[1]);
  if (after !== null && column !== undefined && !words.includes(column.name))
    return { from: before.length - (after[2] ?? '').length, offers: operators[column.type] };
  if (/(?:[\d.]+|"[^"]*"|\/\w*|true|false|\))\s+\w*$/.test(before)) {
    const typed = /\w*$/.exec(before)?.[0] ?? '';
    return { from: before.length - typed.length, offers: ['and', 'or'].map(text => ({ text, about: '' })) };
  }
  const typed = /[A-Za-z_][\w/]*$/.exec(before)?.[0] ?? '';
  // within a text or after an operator there is nothing to offer
  if (typed === '' && !/(?:^|\(|\b(?:and|or|not))\s*$/.test(before)) return { from: before.length, offers: [] };
  return {
    from: before.length - typed.length,
    offers: columns.map(({ name, type, rule, notRecorded }) => ({
      text: name,
      about: notRecorded === true ? t('not recorded') : rule === true ? t('rule') : type,
    })),
  };
}
