// Which columns the list shows: a menu of check marks.

import type { Column } from '../../src/protocol/query';
import { checkbox } from '../components/controls';
import { iconButton } from '../components/icon-button';
import { h, replace } from '../dom';
import { t } from '../words';
import { headOf } from './columns';

export class ColumnMenu {
  private readonly menu = h('div', { class: 'menu', hidden: true, role: 'group', 'aria-label': t('Columns') });
  private readonly button = iconButton('columns', t('Columns'), () => this.toggle());
  readonly element = h('div', { class: 'menu-holder' }, this.button, this.menu);

  constructor(private readonly choose: (columns: readonly string[]) => void) {
    this.button.setAttribute('aria-expanded', 'false');
    this.element.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || this.menu.hidden) return;
      event.stopPropagation();
      this.toggle(false);
      this.button.focus();
    });
    document.addEventListener('pointerdown', event => {
      if (!this.menu.hidden && !this.element.contains(event.target as Node)) this.toggle(false);
    });
  }

  offer(columns: readonly Column[], chosen: readonly string[]): void {
    const shown = new Set(chosen);
    replace(
      this.menu,
      ...columns
        .filter(({ name }) => !['step', 'group', 'sample'].includes(name))
        .map(column =>
          checkbox(
            column.notRecorded === true ? t('{0} (not recorded)', headOf(column)) : headOf(column),
            shown.has(column.name),
            checked => {
              if (checked) shown.add(column.name);
              else shown.delete(column.name);
              this.choose(columns.map(({ name }) => name).filter(name => shown.has(name)));
            },
          ),
        ),
    );
  }

  private toggle(open = this.menu.hidden): void {
    this.menu.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    if (open) (this.menu.firstElementChild as HTMLElement | null)?.focus();
  }
}
