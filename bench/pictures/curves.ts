// Reward and accuracy by step, with the boundaries of the phases, and the evaluations between them.

import type { EventOf, RunEvent } from '../../src/protocol/run';
import { hues, ink, line, polyline, type Svg, text } from './svg';

const width = 760;
const height = 300;
const plot = { left: 48, right: width - 150, top: 34, bottom: height - 40 } as const;

type Step = EventOf<'step'>;

/** Metrics of the steps that are drawn; the thick ones are means over the nine steps around each. */
const curves = [
  { metric: 'reward', name: 'reward', hue: hues[0] },
  { metric: 'accuracy', name: 'accuracy', hue: hues[2] },
  { metric: 'rewards/format/mean', name: 'asked format', hue: hues[3] },
] as const;

export function curvesPicture(events: readonly RunEvent[]): Svg {
  const steps = events.filter((event): event is Step => event.kind === 'step');
  const last = steps.at(-1)?.step ?? 1;
  const x = (step: number): number => plot.left + ((plot.right - plot.left) * step) / last;
  const y = (share: number): number => plot.bottom - (plot.bottom - plot.top) * share;
  const body: string[] = [];

  for (const share of [0, 0.25, 0.5, 0.75, 1])
    body.push(
      line(plot.left, y(share), plot.right, y(share), ink.grid),
      text(plot.left - 8, y(share) + 4, share.toFixed(2), { anchor: 'end', fill: ink.faint, size: 11 }),
    );
  const every = last <= 40 ? 5 : 20;
  for (let step = 0; step <= last; step += every)
    body.push(text(x(step), plot.bottom + 18, String(step), { anchor: 'middle', fill: ink.faint, size: 11 }));
  body.push(text((plot.left + plot.right) / 2, height - 6, 'step', { anchor: 'middle', fill: ink.faint, size: 11 }));

  for (const phase of [...new Set(steps.map(step => step.phase))]) {
    const own = steps.filter(step => step.phase === phase).map(step => step.step);
    const [begin, end] = [Math.min(...own) - 1, Math.max(...own)];
    if (begin > 0) body.push(line(x(begin), plot.top - 18, x(begin), plot.bottom, ink.faint, 'stroke-dasharray="4 4"'));
    body.push(text((x(begin) + x(end)) / 2, plot.top - 10, phase, { anchor: 'middle', bold: true }));
  }

  curves.forEach(({ metric, name, hue }, i) => {
    for (const phase of new Set(steps.map(step => step.phase))) {
      const points = steps.flatMap(({ phase: at, step, metrics }) => {
        const value = metrics[metric];
        return at === phase && value !== undefined ? [[step, value] as const] : [];
      });
      const drawn = (list: readonly (readonly [number, number])[]) => list.map(([s, v]) => [x(s), y(v)] as const);
      body.push(
        polyline(drawn(points), hue, 'stroke-width="1" stroke-opacity="0.3"'),
        polyline(drawn(smoothed(points)), hue, 'stroke-width="2"'),
      );
    }
    key(body, i, name, line(plot.right + 16, 0, plot.right + 36, 0, hue, 'stroke-width="2"'));
  });

  // held-out accuracy, image alone
  for (const event of events) {
    const image = event.kind === 'evaluation' ? event.conditions.find(c => c.condition === 'image') : undefined;
    if (image === undefined || event.kind !== 'evaluation') continue;
    const [low, high] = image.interval;
    const at = x(event.step);
    body.push(
      line(at, y(low), at, y(high), hues[1], 'stroke-width="2"'),
      `<circle cx="${at.toFixed(1)}" cy="${y(image.accuracy).toFixed(1)}" r="4" fill="${hues[1]}"/>`,
    );
  }
  key(body, curves.length, 'held-out accuracy,', `<circle cx="${plot.right + 26}" cy="0" r="4" fill="${hues[1]}"/>`);
  body.push(text(plot.right + 42, plot.top + 22 * curves.length + 20, 'image alone, 95%', { size: 11 }));
  return { width, height, body: body.join('') };
}

function key(body: string[], row: number, name: string, mark: string): void {
  const top = plot.top + 22 * row;
  body.push(`<g transform="translate(0 ${top})">${mark}</g>`, text(plot.right + 42, top + 4, name, { size: 11 }));
}

function smoothed(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  return points.map(([step], i) => {
    const near = points.slice(Math.max(0, i - 4), i + 5);
    return [step, near.reduce((sum, [, value]) => sum + value, 0) / near.length];
  });
}
