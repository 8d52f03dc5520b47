// The list of rollouts, of any length: only the rows in sight are in the page. One tab stop; the arrow keys move a row at a
// time, and a screen reader hears of a grid.

import type { RolloutRef, RolloutRow, Sort } from '../../src/protocol/query';
import type { Pictures } from '../components/pictures';
import { h, onceAFrame, replace } from '../dom';
import { t } from '../words';
import { trackOf } from './columns';
import { Heights } from './heights';
import { groupHead, headCells, type Listed, rowOf } from './list-row';
import type { Pages, Unit } from './pages';

const rowHeight = 40;
const headHeight = 76;
/** Browsers draw no element much higher; a longer list is scrolled in proportion. */
const mostPixels = 8_000_000;
/** Drawn above and below what is in sight. */
const overscan = 200;

export interface ListListeners {
  readonly sort: (sort: Sort | undefined) => void;
  readonly select: (ref: RolloutRef) => void;
  /** Enter, or a double click. */
  readonly open: (ref: RolloutRef) => void;
  readonly copy: (row: RolloutRow) => void;
  readonly openRule: (rule: string) => void;
  readonly step: (direction: 1 | -1) => void;
  readonly detail: () => void;
}

interface Drawn {
  /** The row or unit that it shows. */
  readonly of: unknown;
  readonly element: HTMLElement;
}

interface Place {
  readonly unit: number;
  readonly row: number;
}

export class RolloutList {
  private readonly head = h('div', { class: 'list-head', role: 'row', 'aria-rowindex': 1 });
  private readonly rows = h('div', { class: 'list-rows', role: 'presentation' });
  private readonly room = h('div', { class: 'list-room', role: 'presentation' });
  private readonly scroller = h(
    'div',
    { class: 'list-scroller', tabindex: -1, role: 'rowgroup' },
    this.room,
    this.rows,
  );
  readonly element = h(
    'div',
    { class: 'list', role: 'grid', tabindex: 0, 'aria-label': t('Rollouts'), 'aria-describedby': 'list-keys' },
    h('div', { role: 'rowgroup' }, this.head),
    this.scroller,
  );
  private listed: Listed = { columns: [], sort: undefined, byGroup: true };
  private pages: Pages | undefined;
  /** Of a search that is not done. */
  private preliminary: readonly Unit[] | undefined;
  private heights = new Heights(0, rowHeight);
  private drawn: Map<string, Drawn> = new Map();
  private active: Place = { unit: 0, row: 0 };
  /** Where the list is scrolled to, in its own pixels. */
  private top = 0;
  private readonly draw = onceAFrame(() => this.drawNow());

  constructor(
    private readonly pictures: Pictures,
    private readonly listeners: ListListeners,
  ) {
    this.scroller.addEventListener('scroll', () => {
      // the heads stand above what they name
      this.head.style.transform = `translateX(${-this.scroller.scrollLeft}px)`;
      const { scale } = this;
      if (scale === 1) this.top = this.scroller.scrollTop;
      else if (Math.abs(this.scroller.scrollTop * scale - this.top) > scale) this.top = this.scroller.scrollTop * scale;
      this.draw();
    });
    this.scroller.addEventListener(
      'wheel',
      event => {
        if (this.scale === 1 || event.ctrlKey) return;
        event.preventDefault();
        this.scrollTo(this.top + event.deltaY);
      },
      { passive: false },
    );
    this.element.addEventListener('keydown', event => this.onKey(event));
    new ResizeObserver(() => {
      this.fitWidth();
      this.draw();
    }).observe(this.scroller);
  }

  /** Rows are as wide as their columns, also where that is wider than the list. */
  private fitWidth(): void {
    this.element.style.setProperty('--list-width', `${this.head.scrollWidth}px`);
  }

  show(listed: Listed): void {
    this.listed = listed;
    const tracks = [
      ...(listed.byGroup ? ['34px'] : ['64px', 'minmax(120px, 0.8fr)']),
      'minmax(180px, 2fr)',
      ...listed.columns.map(trackOf),
    ];
    this.element.style.setProperty('--tracks', tracks.join(' '));
    this.element.setAttribute('aria-colcount', String(tracks.length));
    replace(this.head, ...headCells(listed, this.listeners.sort));
    this.fitWidth();
    this.forget();
    this.draw();
  }

  /** What is drawn shows other columns or other rollouts now. */
  private forget(): void {
    this.drawn.clear();
    this.rows.replaceChildren();
  }

  /** Begins at the top, with nothing until the first page is there. */
  clear(pages: Pages): void {
    this.pages = pages;
    this.preliminary = undefined;
    this.active = { unit: 0, row: 0 };
    this.forget();
    this.layOut(0, rowHeight);
    this.scrollTo(0);
  }

  counted(units: number, total: number): void {
    this.preliminary = undefined;
    const members = units === 0 ? 1 : Math.max(1, Math.round(total / units));
    this.layOut(units, this.listed.byGroup ? headHeight + members * rowHeight : rowHeight);
    this.element.setAttribute('aria-rowcount', String(total + 1));
    this.draw();
  }

  arrived(first: number, units: readonly Unit[]): void {
    if (this.listed.byGroup)
      units.forEach((unit, i) => {
        if (first + i < this.heights.count) this.heights.set(first + i, headHeight + unit.length * rowHeight);
      });
    this.fitRoom();
    this.draw();
  }

  showHits(units: readonly Unit[]): void {
    this.preliminary = units;
    this.layOut(units.length, rowHeight);
    this.draw();
  }

  get activeRow(): RolloutRow | undefined {
    return this.unit(this.active.unit)?.[this.active.row];
  }

  /** Makes the row of this rollout the active one where it is loaded. */
  activate({ step, group, sample }: RolloutRef): void {
    for (let unit = 0; unit < this.heights.count; unit++) {
      const rows = this.unit(unit);
      if (rows === undefined) continue;
      const row = rows.findIndex(({ ref }) => ref.step === step && ref.group === group && ref.sample === sample);
      if (row < 0) continue;
      this.moveTo({ unit, row }, false);
      return;
    }
  }

  private unit(index: number): Unit | undefined {
    return this.preliminary === undefined ? this.pages?.unit(index) : this.preliminary[index];
  }

  private layOut(units: number, height: number): void {
    this.heights = new Heights(units, height);
    this.fitRoom();
  }

  private fitRoom(): void {
    this.room.style.height = `${Math.min(this.heights.total, mostPixels)}px`;
  }

  private get scale(): number {
    const { total } = this.heights;
    if (total <= mostPixels) return 1;
    const seen = this.scroller.clientHeight;
    return (total - seen) / (mostPixels - seen);
  }

  private scrollTo(top: number): void {
    this.top = Math.max(0, Math.min(top, this.heights.total - this.scroller.clientHeight));
    this.scroller.scrollTop = this.top / this.scale;
    this.draw();
  }

  private drawNow(): void {
    const { heights, scroller } = this;
    const seen = scroller.clientHeight;
    if (seen === 0) return;
    // a row that stays in sight stays the same element: its image, and what is selected in it, are left alone
    const before = this.drawn;
    this.drawn = new Map();
    if (heights.count > 0) {
      const first = heights.at(this.top - overscan);
      const last = heights.at(this.top + seen + overscan);
      if (this.preliminary === undefined) this.pages?.want(first, last);
      for (let index = first; index <= last; index++) this.drawUnit(index, seen, before);
    }
    for (const [key, { element }] of before) if (this.drawn.get(key)?.element !== element) element.remove();
    let next = this.rows.firstElementChild;
    for (const { element } of this.drawn.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.rows.insertBefore(element, next);
    }
    const active = this.rows.querySelector('.row-active');
    if (active === null) this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', active.id);
  }

  private drawUnit(index: number, seen: number, before: ReadonlyMap<string, Drawn>): void {
    const { heights } = this;
    const unit = this.unit(index);
    const start = heights.start(index);
    const draw = (key: string, of: unknown, top: number, make: () => HTMLElement): HTMLElement => {
      const known = before.get(key);
      const element = known !== undefined && known.of === of ? known.element : make();
      element.style.transform = `translateY(${top - this.top + this.scroller.scrollTop}px)`;
      this.drawn.set(key, { of, element });
      return element;
    };
    if (unit === undefined) {
      const waiting = draw(`waiting ${index}`, undefined, start, () =>
        h('div', { class: 'waiting', role: 'row' }, h('div', { role: 'gridcell' }, t('Loading…'))),
      );
      waiting.style.height = `${heights.of(index)}px`;
      return;
    }
    const [first] = unit;
    if (first === undefined) return;
    const head = this.listed.byGroup ? headHeight : 0;
    if (head > 0)
      draw(`group ${index}`, unit, start, () => groupHead(unit, first, this.listed.columns.length, this.pictures));
    unit.forEach((row, i) => {
      const top = start + head + i * rowHeight;
      if (top + rowHeight < this.top - overscan || top > this.top + seen + overscan) return;
      const active = index === this.active.unit && i === this.active.row;
      const element = draw(`row ${index} ${i}`, row, top, () => this.row(row, { unit: index, row: i }));
      element.classList.toggle('row-active', active);
      element.setAttribute('aria-selected', String(active));
    });
  }

  private row(row: RolloutRow, place: Place): HTMLElement {
    const element = rowOf(row, place.unit, this.listed, this.pictures, this.listeners.openRule);
    element.addEventListener('click', () => {
      this.moveTo(place);
      this.listeners.detail();
    });
    element.addEventListener('dblclick', () => this.listeners.open(row.ref));
    return element;
  }

  private moveTo(place: Place, tell = true): void {
    this.active = place;
    const { heights, listed, scroller } = this;
    const before = listed.byGroup ? headHeight : 0;
    const top = heights.start(place.unit) + (place.row === 0 ? 0 : before + place.row * rowHeight);
    const bottom = heights.start(place.unit) + before + (place.row + 1) * rowHeight;
    if (top < this.top) this.scrollTo(top);
    else if (bottom > this.top + scroller.clientHeight) this.scrollTo(bottom - scroller.clientHeight);
    // at once, so that the row that a screen reader is sent to is there
    this.drawNow();
    const row = this.activeRow;
    if (tell && row !== undefined) this.listeners.select(row.ref);
  }

  private moveBy(rows: number): void {
    let { unit, row } = this.active;
    const members = (index: number): number => this.unit(index)?.length ?? 1;
    for (let left = Math.abs(rows); left > 0; left--) {
      if (rows > 0) {
        if (row + 1 < members(unit)) row += 1;
        else if (unit + 1 < this.heights.count) [unit, row] = [unit + 1, 0];
        else break;
      } else if (row > 0) row -= 1;
      else if (unit > 0) {
        unit -= 1;
        row = members(unit) - 1;
      } else break;
    }
    this.moveTo({ unit, row });
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.element) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / rowHeight) - 1);
    const { listeners } = this;
    const row = this.activeRow;
    const last = this.heights.count - 1;
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.moveBy(1),
      ArrowUp: () => this.moveBy(-1),
      PageDown: () => this.moveBy(page),
      PageUp: () => this.moveBy(-page),
      Home: () => this.moveTo({ unit: 0, row: 0 }),
      End: () => this.moveTo({ unit: Math.max(0, last), row: Math.max(0, (this.unit(last)?.length ?? 1) - 1) }),
      Enter: () => row !== undefined && listeners.open(row.ref),
      ' ': () => {
        if (row === undefined) return;
        listeners.select(row.ref);
        listeners.detail();
      },
      c: () => row !== undefined && listeners.copy(row),
      '[': () => listeners.step(-1),
      ']': () => listeners.step(1),
    };
    const work = keys[event.key];
    if (work === undefined) return;
    event.preventDefault();
    work();
  }
}
