// One small chart on a canvas (uPlot), which shares its steps, its zoom and its cursor with the others of the view. It
// takes its colours from the theme, and is worked by keyboard as a slider over the steps: the value at the cursor is its
// value text.

import uPlot from 'uplot';
import { h } from '../dom';
import type { ThemeColors } from '../theme';
import { t } from '../words';
import { type Figure, fullText, type Line, marksIn } from './figure';
import type { Mark, SharedAxis } from './shared-axis';
import { smoothed } from './smoothed';

export const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4], [3, 6]];

const height = 148;
/** Room above the plot for the names of phases. */
const labelRoom = 14;

export interface ChartListeners {
  /** A point, or the step of the keyboard's cursor, was chosen. */
  readonly choose: (step: number, run: number) => void;
  readonly numbers: () => void;
}

interface Drawn {
  readonly line: Line;
  /** Behind its own moving average. */
  readonly faint: boolean;
  readonly values: (number | null)[];
}

export class Chart {
  readonly element = h('div', {
    class: 'chart',
    role: 'slider',
    tabindex: 0,
    'aria-orientation': 'horizontal',
    'aria-keyshortcuts': 'Enter + - 0 T',
    'aria-describedby': 'chart-keys',
  });
  private plot: uPlot | undefined;
  private drawn: readonly Drawn[] = [];
  private shape = '';

  constructor(
    private figure: Figure,
    private readonly axis: SharedAxis,
    private theme: ThemeColors,
    private hidden: ReadonlySet<string>,
    private readonly listeners: ChartListeners,
  ) {
    this.element.addEventListener('keydown', event => this.onKey(event));
    this.element.addEventListener('focus', () => axis.moveBy(0));
    this.element.addEventListener('blur', () => axis.moveTo(undefined));
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  /** Draws what changed: the figures, the lines that are hidden, the zoom, the smoothing or the theme. */
  update(figure: Figure, hidden: ReadonlySet<string>, theme: ThemeColors): void {
    this.figure = figure;
    this.hidden = hidden;
    const { axis } = this;
    this.drawn = drawnLines(figure, hidden, axis.smoothing);
    const shape = JSON.stringify([
      figure.kind,
      this.drawn.map(({ line, faint }) => [line.id, line.run, line.tone, line.dash, faint]),
    ]);
    if (this.plot === undefined || shape !== this.shape || theme !== this.theme) {
      this.theme = theme;
      this.shape = shape;
      this.make();
    } else this.plot.setData(this.data());
    this.describe();
    this.showCursor();
  }

  showCursor(): void {
    const { plot, axis } = this;
    const step = axis.cursor === undefined ? undefined : axis.steps[axis.cursor];
    plot?.setCursor(
      step === undefined
        ? { left: -10, top: -10 }
        : { left: plot.valToPos(step, 'x'), top: plot.over.clientHeight / 2 },
      false,
    );
    this.describe();
  }

  /** The chart with its title and its legend on the theme's background, as a PNG's base64. */
  picture(): string {
    const source = this.element.querySelector('canvas');
    if (source === null) return '';
    const scale = devicePixelRatio;
    const canvas = h('canvas');
    const head = 40 * scale;
    canvas.width = source.width;
    canvas.height = source.height + head;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const { theme, figure } = this;
    context.fillStyle = theme.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(source, 0, head);
    context.scale(scale, scale);
    context.fillStyle = theme.foreground;
    context.font = theme.font.replace('11px', '600 13px');
    context.fillText(figure.title, 8, 16);
    context.font = theme.font;
    let left = 8;
    for (const line of figure.lines.filter(({ id }) => !this.hidden.has(id))) {
      context.strokeStyle = toneOf(theme, line);
      context.lineWidth = 2;
      context.setLineDash([...(dashes[line.dash % dashes.length] ?? [])]);
      context.beginPath();
      context.moveTo(left, 30);
      context.lineTo(left + 16, 30);
      context.stroke();
      context.fillText(line.label, left + 20, 34);
      left += 32 + context.measureText(line.label).width;
    }
    return canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
  }

  destroy(): void {
    this.plot?.destroy();
  }

  private data(): uPlot.AlignedData {
    const bands = this.drawn.flatMap(({ line, faint, values }) => {
      if (line.spread === undefined || faint || this.figure.kind !== 'lines') return [values];
      return [values, line.spread.map(s => s?.[0] ?? null), line.spread.map(s => s?.[1] ?? null)];
    });
    return [[...this.axis.steps], ...bands];
  }

  private make(): void {
    const { theme, axis, figure } = this;
    this.plot?.destroy();
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    const stacked = figure.kind === 'stack';
    this.drawn.forEach(({ line, faint }, i) => {
      const color = toneOf(theme, line);
      series.push({
        stroke: color,
        alpha: faint ? 0.28 : 1,
        width: stacked ? 1 : faint ? 1 : theme.highContrast ? 2 : 1.5,
        dash: [...(dashes[line.dash % dashes.length] ?? [])],
        // with gaps spanned by uPlot itself it would not ask where ours are
        spanGaps: false,
        gaps: plot => gapsAt(plot, this.drawn[i]?.line.breaks ?? new Set()),
        points: { show: figure.kind === 'points', size: 6, width: 1.5, stroke: color, fill: theme.background },
        ...(stacked && i === 0 ? { fill: translucent(color, theme) } : {}),
      });
      if (stacked && i > 0) bands.push({ series: [i + 1, i], fill: translucent(color, theme) });
      if (line.spread === undefined || faint || figure.kind !== 'lines') return;
      const at = series.length;
      for (let k = 0; k < 2; k++)
        series.push({ stroke: 'transparent', width: 0, spanGaps: true, points: { show: false } });
      bands.push({ series: [at + 1, at], fill: translucent(color, theme, 0.16) });
    });
    const text = { stroke: theme.muted, font: theme.font, ticks: { show: false } };
    const plot = new uPlot(
      {
        width: Math.max(this.element.clientWidth, 120),
        height,
        padding: [labelRoom, 10, 0, 0],
        series,
        bands,
        legend: { show: false },
        scales: {
          x: { time: false, range: () => [...axis.range] },
          y: { range: () => this.yRange() },
        },
        axes: [
          { ...text, size: 20, gap: 3, space: 48, grid: { show: false }, values: (_, splits) => splits.map(stepLabel) },
          {
            ...text,
            size: 46,
            gap: 6,
            space: 26,
            grid: { stroke: translucent(theme.grid, theme, theme.highContrast ? 0.25 : 0.7), width: 1 },
            values: (_, splits) => axisValues(figure, splits),
          },
        ],
        cursor: {
          y: false,
          drag: { x: true, y: false, setScale: false, dist: 4 },
          points: { size: 7, width: 1.5, fill: theme.background, stroke: (_, i) => this.strokeOf(i) },
        },
        hooks: {
          drawClear: [u => drawPhases(u, marksIn(this.figure, axis.marks), theme)],
          draw: [u => this.drawWhiskers(u)],
          setSelect: [u => this.onSelect(u)],
        },
      },
      this.data(),
      this.element,
    );
    this.plot = plot;
    plot.over.addEventListener('mousemove', () => axis.moveTo(plot.cursor.idx ?? undefined));
    plot.over.addEventListener('mouseleave', () => {
      if (document.activeElement !== this.element) axis.moveTo(undefined);
    });
    plot.over.addEventListener('dblclick', () => axis.show(undefined));
    plot.over.addEventListener('click', () => {
      if (plot.select.width > 0 || plot.cursor.idx == null) return;
      this.choose(plot.cursor.idx);
    });
  }

  private strokeOf(seriesIndex: number): string {
    const series = this.plot?.series[seriesIndex];
    const stroke = series?.stroke;
    const color = typeof stroke === 'function' ? stroke(this.plot as uPlot, seriesIndex) : stroke;
    return typeof color === 'string' ? color : 'transparent';
  }

  private fit(): void {
    const width = this.element.clientWidth;
    if (this.plot === undefined || width === 0 || width === this.plot.width) return;
    this.plot.setSize({ width, height });
  }

  private onSelect(u: uPlot): void {
    if (u.select.width < 4) return;
    const first = u.posToVal(u.select.left, 'x');
    const last = u.posToVal(u.select.left + u.select.width, 'x');
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (last - first >= 0.5) this.axis.show([first, last]);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { axis } = this;
    const keys: Readonly<Record<string, () => void>> = {
      ArrowRight: () => axis.moveBy(1),
      ArrowUp: () => axis.moveBy(1),
      ArrowLeft: () => axis.moveBy(-1),
      ArrowDown: () => axis.moveBy(-1),
      PageUp: () => axis.moveBy(10),
      PageDown: () => axis.moveBy(-10),
      Home: () => axis.moveBy(-Number.MAX_SAFE_INTEGER),
      End: () => axis.moveBy(Number.MAX_SAFE_INTEGER),
      Enter: () => axis.cursor !== undefined && this.choose(axis.cursor),
      '+': () => axis.zoomBy(0.5),
      '-': () => axis.zoomBy(2),
      '0': () => axis.show(undefined),
      Escape: () => axis.show(undefined),
      t: () => this.listeners.numbers(),
    };
    const work = keys[event.key];
    if (work === undefined) return;
    event.preventDefault();
    work();
  }

  /** The run whose line passes nearest to the pointer; by keyboard the first that has a value there. */
  private choose(index: number): void {
    const { plot, axis } = this;
    const step = axis.steps[index];
    if (step === undefined) return;
    const top = plot?.cursor.top ?? 0;
    const near = this.drawn
      .filter(({ values, faint }) => !faint && values[index] != null)
      .map(({ line, values }) => ({
        line,
        distance: Math.abs((plot?.valToPos(values[index] as number, 'y') ?? 0) - top),
      }))
      .toSorted((a, b) => a.distance - b.distance);
    this.listeners.choose(step, near[0]?.line.run ?? 0);
  }

  private yRange(): [number, number] {
    const { axis, figure } = this;
    const [first, last] = axis.range;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const take = (value: number | null | undefined): void => {
      if (value === null || value === undefined || !Number.isFinite(value)) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    axis.steps.forEach((step, i) => {
      if (step < first || step > last) return;
      for (const { line, values, faint } of this.drawn) {
        take(values[i]);
        if (!faint && line.spread !== undefined && this.drawn.length <= 8)
          for (const end of line.spread[i] ?? []) take(end);
      }
    });
    if (low > high) return [0, 1];
    if (figure.kind === 'stack') return [0, Math.max(Math.min(1, high * 1.08), 0.05)];
    if (low === high) {
      const room = Math.abs(low) * 0.1 || (figure.unit === 'share' ? 0.05 : 1);
      return low >= 0 ? [Math.max(0, low - room), high + room] : [low - room, high + room];
    }
    const room = (high - low) * 0.08;
    // a figure that is nearly at zero is read from zero
    return [low >= 0 && low < (high - low) * 0.6 ? 0 : low - room, high + room];
  }

  private drawWhiskers(u: uPlot): void {
    if (this.figure.kind !== 'points') return;
    const { ctx } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    const cap = 3 * devicePixelRatio;
    for (const { line, values } of this.drawn) {
      ctx.strokeStyle = toneOf(this.theme, line);
      ctx.globalAlpha = this.theme.highContrast ? 0.9 : 0.55;
      values.forEach((value, i) => {
        const spread = line.spread?.[i];
        const step = this.axis.steps[i];
        if (value === null || spread == null || step === undefined) return;
        const x = u.valToPos(step, 'x', true);
        const [low, high] = spread.map(end => u.valToPos(end, 'y', true)) as [number, number];
        ctx.beginPath();
        ctx.moveTo(x, low);
        ctx.lineTo(x, high);
        for (const y of [low, high]) {
          ctx.moveTo(x - cap, y);
          ctx.lineTo(x + cap, y);
        }
        ctx.stroke();
      });
    }
    ctx.restore();
  }

  private describe(): void {
    const { axis, element, figure } = this;
    const index = axis.cursor ?? axis.steps.length - 1;
    const step = axis.steps[index];
    element.setAttribute('aria-label', t('{0} by step', figure.title));
    element.setAttribute('aria-valuemin', String(axis.steps[0] ?? 0));
    element.setAttribute('aria-valuemax', String(axis.steps.at(-1) ?? 0));
    element.setAttribute('aria-valuenow', String(step ?? 0));
    const values = figure.lines
      .filter(line => !this.hidden.has(line.id) && line.values[index] != null)
      .map(line => `${line.label} ${fullText(figure, line, index)}`);
    // the lines that are drawn where a phase or a version of the rules begins, for whoever does not see them
    const begins = axis.beginningAt(index);
    element.setAttribute(
      'aria-valuetext',
      t(
        'step {0}: {1}',
        [String(step ?? 0), ...begins].join(', '),
        values.length === 0 ? t('nothing recorded') : values.join(', '),
      ),
    );
  }
}

export function toneOf(theme: ThemeColors, { tone }: Pick<Line, 'tone'>): string {
  return theme.series[tone % theme.series.length] ?? theme.foreground;
}

function drawnLines(figure: Figure, hidden: ReadonlySet<string>, smoothing: number): readonly Drawn[] {
  const lines = figure.lines.filter(({ id }) => !hidden.has(id));
  if (figure.kind === 'points') return lines.map(line => ({ line, faint: false, values: [...line.values] }));
  const smooth = (line: Line): (number | null)[] =>
    smoothing === 0 ? [...line.values] : [...smoothed(line.values, smoothing, line.breaks)];
  if (figure.kind === 'stack') {
    const below: (number | null)[] = [];
    return lines.map(line => {
      smooth(line).forEach((value, i) => {
        below[i] = value === null ? (below[i] ?? null) : (below[i] ?? 0) + value;
      });
      return { line, faint: false, values: [...below] };
    });
  }
  return lines.flatMap(line => [
    ...(smoothing === 0 ? [] : [{ line, faint: true, values: [...line.values] }]),
    { line, faint: false, values: smooth(line) },
  ]);
}

/** Where a line is broken off, from the point before to the point at it; steps without a value are spanned. */
function gapsAt(plot: uPlot, breaks: ReadonlySet<number>): [number, number][] {
  const xs = plot.data[0];
  // seen also where a step is less than a pixel
  const least = 2 * devicePixelRatio;
  return [...breaks]
    .flatMap((i): [number, number][] => {
      const [before, at] = [xs[i - 1], xs[i]];
      if (before === undefined || at === undefined) return [];
      const [from, to] = [plot.valToPos(before, 'x', true), plot.valToPos(at, 'x', true)];
      const half = Math.max((to - from) / 2, least);
      return [[Math.round((from + to) / 2 - half), Math.round((from + to) / 2 + half)]];
    })
    .toSorted((a, b) => a[0] - b[0]);
}

function translucent(color: string, theme: ThemeColors, alpha = theme.highContrast ? 0.5 : 0.3): string {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return color;
  context.fillStyle = color;
  const hex = context.fillStyle;
  return /^#[0-9a-f]{6}$/.test(hex)
    ? `${hex}${Math.round(alpha * 255)
        .toString(16)
        .padStart(2, '0')}`
    : hex;
}

/** A line where a phase or a version of the rules begins, with its name above the plot. */
function drawPhases(u: uPlot, marks: readonly Mark[], theme: ThemeColors): void {
  const { ctx, bbox } = u;
  const scale = devicePixelRatio;
  const [first, last] = [u.scales['x']?.min ?? 0, u.scales['x']?.max ?? 0];
  ctx.save();
  ctx.font = theme.font.replace('11px', `${10 * scale}px`);
  ctx.textBaseline = 'bottom';
  // the axes leave it as they had it
  ctx.textAlign = 'left';
  let free = Number.NEGATIVE_INFINITY;
  for (const { at, label, kind } of marks) {
    const before = at <= first;
    if (at > last) continue;
    const x = before ? bbox.left : u.valToPos(at, 'x', true);
    const next = marks.find(mark => mark.kind === 'phase' && mark.at > at && mark.kind === kind);
    // the phase that the shown part begins in is named at its left edge
    if (before && (kind !== 'phase' || (next !== undefined && next.at <= first))) continue;
    if (!before) {
      ctx.strokeStyle = kind === 'rules' ? (theme.series[1] ?? theme.muted) : theme.muted;
      ctx.globalAlpha = theme.highContrast ? 1 : 0.6;
      ctx.lineWidth = scale;
      ctx.setLineDash(kind === 'phase' ? [4 * scale, 3 * scale] : [2 * scale, 2 * scale]);
      ctx.beginPath();
      ctx.moveTo(Math.round(x) + 0.5, bbox.top - 2 * scale);
      ctx.lineTo(Math.round(x) + 0.5, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.muted;
    const width = ctx.measureText(label).width;
    if (x < free || x + width > bbox.left + bbox.width + 10 * scale) continue;
    ctx.fillText(label, x + (before ? 0 : 2 * scale), bbox.top - 2 * scale);
    free = x + width + 8 * scale;
  }
  ctx.restore();
}

const stepLabel = (step: number): string => (Number.isInteger(step) ? String(step) : '');

/** All with the digits of the finest, so that the labels line up. */
function axisValues(figure: Figure, splits: readonly number[]): string[] {
  if (figure.unit === 'share') {
    const fine = splits.some(value => Math.abs(Math.round(value * 100) - value * 100) > 1e-6);
    return splits.map(value => `${(value * 100).toFixed(fine ? 1 : 0)}%`);
  }
  const largest = Math.max(...splits.map(Math.abs));
  if (largest >= 10_000) return splits.map(value => `${value / 1000}k`);
  if (largest < 1e-3 && largest > 0) return splits.map(value => (value === 0 ? '0' : value.toExponential(0)));
  const exact = (n: number): boolean => splits.every(value => Math.abs(Number(value.toFixed(n)) - value) < 1e-9);
  const digits = [0, 1, 2, 3].find(exact) ?? 4;
  return splits.map(value => value.toFixed(digits).replace('-', '−'));
}
