// Accuracy under the five conditions, before the first phase and after each, with 95% intervals.

import { conditionNames } from '../../src/cli/words';
import type { EventOf, RunEvent } from '../../src/protocol/run';
import { hues, ink, line, type Svg, text } from './svg';

const width = 760;
const left = 150;
const right = width - 24;
const bar = 12;
const between = 16;

export function conditionsPicture(events: readonly RunEvent[]): Svg {
  const evaluations = events.filter(
    (event): event is EventOf<'evaluation'> => event.kind === 'evaluation' && event.boundary,
  );
  const conditions = [...new Set(evaluations.flatMap(({ conditions }) => conditions.map(c => c.condition)))];
  const group = evaluations.length * bar + between;
  const top = 40;
  const bottom = top + conditions.length * group;
  const height = bottom + 48;
  const x = (share: number): number => left + (right - left) * share;
  const body: string[] = [];

  evaluations.forEach(({ at }, i) => {
    const from = left + i * 150;
    body.push(
      `<rect x="${from}" y="10" width="12" height="12" fill="${hue(i)}"/>`,
      text(from + 18, 20, at === 'base' ? 'base' : `after ${at}`),
    );
  });
  for (const share of [0, 0.25, 0.5, 0.75, 1])
    body.push(
      line(x(share), top - 8, x(share), bottom, ink.grid),
      text(x(share), bottom + 18, `${100 * share}%`, { anchor: 'middle', fill: ink.faint, size: 11 }),
    );
  conditions.forEach((condition, row) => {
    const y = top + row * group;
    body.push(text(left - 10, y + (evaluations.length * bar) / 2 + 4, conditionNames[condition], { anchor: 'end' }));
    evaluations.forEach(({ conditions: results }, i) => {
      const result = results.find(r => r.condition === condition);
      if (result === undefined) return;
      const middle = y + i * bar + bar / 2;
      const [low, high] = result.interval;
      body.push(
        `<rect x="${left}" y="${middle - bar / 2 + 1}" width="${Math.max(1, x(result.accuracy) - left).toFixed(1)}" height="${bar - 2}" fill="${hue(i)}"/>`,
        line(x(low), middle, x(high), middle, ink.text, 'stroke-width="1.5"'),
      );
    });
  });
  const majority = evaluations[0]?.conditions.find(c => c.condition === 'image')?.majority;
  if (majority !== undefined)
    body.push(
      line(x(majority), top - 8, x(majority), bottom, ink.faint, 'stroke-dasharray="4 4"'),
      text(
        left,
        bottom + 40,
        `dashed: always giving the most frequent answer, ${(100 * majority).toFixed(0)}%; lines: 95% intervals`,
        {
          fill: ink.faint,
          size: 11,
        },
      ),
    );
  return { width, height, body: body.join('') };
}

const shades = ['#b8c4ce', hues[3], hues[2], hues[0]] as const;
const hue = (i: number): string => shades[i] ?? hues[4];
