// What uPlot does not paint by itself: where phases begin, where a line is broken off, how far a point may be wrong.

import type uPlot from 'uplot';
import type { ThemeColors } from '../theme';
import { type Drawn, toneOf } from './chart-lines';
import type { Mark } from './shared-axis';

/** A line where a phase or a version of the rules begins, with its name above the plot. */
export function drawPhases(u: uPlot, marks: readonly Mark[], theme: ThemeColors): void {
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

/** The spread of each point. */
export function drawWhiskers(u: uPlot, drawn: readonly Drawn[], steps: readonly number[], theme: ThemeColors): void {
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  const cap = 3 * devicePixelRatio;
  for (const { line, values } of drawn) {
    ctx.strokeStyle = toneOf(theme, line);
    ctx.globalAlpha = theme.highContrast ? 0.9 : 0.55;
    values.forEach((value, i) => {
      const spread = line.spread?.[i];
      const step = steps[i];
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

/** Where a line is broken off, from the point before to the point at it; steps without a value are spanned. */
export function gapsAt(plot: uPlot, breaks: ReadonlySet<number>): [number, number][] {
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

export function translucent(color: string, theme: ThemeColors, alpha = theme.highContrast ? 0.5 : 0.3): string {
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
