// A chart with its title, its legend, which shows the values under the cursor, and the numbers behind it as a table.

import { h, replace } from '../dom';
import type { ThemeColors } from '../theme';
import { count, t } from '../words';
import { Chart, type ChartListeners } from './chart';
import { dashes, toneOf } from './chart-lines';
import { csvOf, type Figure, fullText, type Line, marksIn, valueText } from './figure';
import { iconButton } from './icon-button';
import { rovingToolbar } from './roving';
import type { SharedAxis } from './shared-axis';

export interface CardListeners extends Omit<ChartListeners, 'numbers'> {
  readonly save: (name: string, content: { readonly text: string } | { readonly base64: string }) => void;
  /** What the person hid, or whether the numbers are shown, changed. */
  readonly changed: () => void;
}

/** So many rows of the table at first, and more on demand. */
const rowsAtOnce = 200;

export class Card {
  readonly element: HTMLElement;
  private readonly title = h('h2');
  private readonly recomputed = h('p', { class: 'recomputed', hidden: true });
  private readonly legend = h('div', { class: 'legend', role: 'toolbar' });
  private readonly table = h('div', { class: 'numbers', tabindex: 0, role: 'region', hidden: true });
  private readonly chart: Chart;
  private readonly numbersButton: HTMLButtonElement;
  /** Of the legend: which of the figure's lines each stands for, whose values are others with every step. */
  private values: readonly { readonly at: number; readonly element: HTMLElement }[] = [];
  private legendShape = '';
  private rows = rowsAtOnce;

  constructor(
    private figure: Figure,
    private readonly axis: SharedAxis,
    private theme: ThemeColors,
    private runNames: readonly string[],
    readonly hidden: Set<string>,
    private numbersShown: boolean,
    private readonly listeners: CardListeners,
  ) {
    this.numbersButton = iconButton('table', '', () => this.showNumbers(!this.numbersShown), numbersShown);
    const actions = h(
      'div',
      { class: 'actions', role: 'toolbar', 'aria-label': t('Actions for {0}', figure.title) },
      this.numbersButton,
      iconButton('export', t('Save the numbers as CSV'), () => this.saveCsv()),
      iconButton('file-media', t('Save the picture as PNG'), () => this.savePng()),
    );
    rovingToolbar(actions);
    rovingToolbar(this.legend);
    this.chart = new Chart(figure, axis, theme, hidden, {
      choose: listeners.choose,
      numbers: () => this.showNumbers(!this.numbersShown),
    });
    this.element = h(
      'section',
      { class: `card card-${figure.id}` },
      h('div', { class: 'card-head' }, this.title, actions),
      this.recomputed,
      this.legend,
      this.chart.element,
      this.table,
    );
  }

  get showsNumbers(): boolean {
    return this.numbersShown;
  }

  update(figure: Figure, theme: ThemeColors, runNames: readonly string[]): void {
    this.figure = figure;
    this.theme = theme;
    this.runNames = runNames;
    this.title.textContent = figure.title;
    this.title.title = figure.about;
    this.element.setAttribute('aria-label', figure.title);
    this.recomputed.hidden = figure.recomputed === undefined;
    this.recomputed.textContent = figure.recomputed ?? '';
    this.makeLegend();
    this.chart.update(figure, this.hidden, theme);
    this.showCursor();
    this.showNumbers(this.numbersShown, false);
  }

  showCursor(): void {
    this.chart.showCursor();
    for (const { at, element } of this.values) {
      const line = this.figure.lines[at];
      if (line === undefined) continue;
      const index = this.axis.cursor ?? line.values.findLastIndex(value => value !== null);
      element.textContent = valueText(this.figure, line.values[index]);
      element.title = fullText(this.figure, line, index);
    }
  }

  destroy(): void {
    this.chart.destroy();
    this.element.remove();
  }

  private makeLegend(): void {
    const { figure, theme, runNames } = this;
    this.legend.setAttribute('aria-label', t('Lines of {0}', figure.title));
    const shape = JSON.stringify([figure.lines.map(({ id, run, label }) => [id, run, label]), runNames, theme.series]);
    if (shape === this.legendShape) return;
    this.legendShape = shape;
    const ids = [...new Set(figure.lines.map(({ id }) => id))];
    const values: { at: number; element: HTMLElement }[] = [];
    replace(
      this.legend,
      ...ids.map(id => {
        const lines = figure.lines.filter(line => line.id === id);
        const first = lines[0] as Line;
        const several = runNames.length > 1;
        const entry = h(
          'button',
          {
            type: 'button',
            class: 'legend-entry',
            'aria-pressed': String(!this.hidden.has(id)),
            title: t('Show or hide this line'),
          },
          swatch(several ? { ...first, tone: 5 } : first, theme),
          h('span', { class: 'legend-label' }, first.label),
          ...lines.map(line => {
            const element = h('span', { class: 'legend-value' });
            if (several) element.style.color = theme.highContrast ? theme.foreground : '';
            values.push({ at: figure.lines.indexOf(line), element });
            if (!several) return element;
            return h('span', { class: 'legend-run' }, swatch({ ...line, dash: 0 }, theme, true), element);
          }),
        );
        entry.addEventListener('click', () => {
          if (!this.hidden.delete(id)) this.hidden.add(id);
          entry.setAttribute('aria-pressed', String(!this.hidden.has(id)));
          this.chart.update(this.figure, this.hidden, this.theme);
          this.listeners.changed();
        });
        return entry;
      }),
    );
    this.values = values;
    rovingToolbar(this.legend);
  }

  private showNumbers(shown: boolean, tell = true): void {
    this.numbersShown = shown;
    const label = shown ? t('Hide the numbers') : t('Show the numbers as a table');
    this.numbersButton.title = label;
    this.numbersButton.setAttribute('aria-label', label);
    this.numbersButton.setAttribute('aria-pressed', String(shown));
    this.table.hidden = !shown;
    if (shown) this.makeTable();
    else this.table.replaceChildren();
    if (tell) this.listeners.changed();
  }

  /** The steps that are shown in the chart, the latest first. */
  private makeTable(): void {
    const { figure, axis, runNames } = this;
    const [first, last] = axis.range;
    const marks = marksIn(figure, axis.marks);
    const indices = axis.steps
      .map((_, i) => i)
      .filter(i => {
        const step = axis.steps[i] as number;
        return step >= first && step <= last && figure.lines.some(line => line.values[i] !== null);
      })
      .reverse();
    this.table.setAttribute('aria-label', t('Numbers of {0}', figure.title));
    const head = figure.lines.map(line =>
      h('th', { scope: 'col' }, runNames.length > 1 ? `${line.label} · ${runNames[line.run] ?? ''}` : line.label),
    );
    const scrolled = this.table.scrollTop;
    replace(
      this.table,
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('step')), ...head)),
        h(
          'tbody',
          {},
          ...indices
            .slice(0, this.rows)
            .map(i =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, [String(axis.steps[i]), ...axis.beginningAt(i, marks)].join(' · ')),
                ...figure.lines.map(line => h('td', {}, fullText(figure, line, i))),
              ),
            ),
        ),
      ),
      indices.length > this.rows &&
        h(
          'button',
          {
            type: 'button',
            class: 'link',
            on: {
              click: () => {
                this.rows += rowsAtOnce * 5;
                this.makeTable();
              },
            },
          },
          t('{0} earlier steps: show more', count(indices.length - this.rows)),
        ),
    );
    this.table.scrollTop = scrolled;
  }

  private saveCsv(): void {
    const { figure, axis, runNames } = this;
    this.listeners.save(`${figure.id}.csv`, { text: csvOf(figure, axis.steps, runNames) });
  }

  private savePng(): void {
    this.listeners.save(`${this.figure.id}.png`, { base64: this.chart.picture() });
  }
}

/** A short piece of the line as it is drawn: its colour and its dashes. */
export function swatch(line: Pick<Line, 'tone' | 'dash'>, theme: ThemeColors, round = false): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'swatch');
  svg.setAttribute('viewBox', round ? '0 0 8 8' : '0 0 16 8');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS('http://www.w3.org/2000/svg', round ? 'circle' : 'line');
  const color = toneOf(theme, line);
  const attributes: readonly (readonly [string, string])[] = round
    ? [
        ['cx', '4'],
        ['cy', '4'],
        ['r', '3.5'],
        ['fill', color],
      ]
    : [
        ['x1', '0'],
        ['x2', '16'],
        ['y1', '4'],
        ['y2', '4'],
        ['stroke', color],
        ['stroke-width', '2.5'],
        ['stroke-dasharray', (dashes[line.dash % dashes.length] ?? []).join(' ')],
      ];
  for (const [name, value] of attributes) shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}
