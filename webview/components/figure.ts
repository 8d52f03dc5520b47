// A figure as data: what a chart draws, its table lists and its CSV holds.

import { percent, figure as plain } from '../words';
import type { Mark } from './shared-axis';

export interface Line {
  readonly id: string;
  readonly label: string;
  /** Number of the run among those that are laid over each other. */
  readonly run: number;
  /** Along the shared steps; null where there is none. */
  readonly values: readonly (number | null)[];
  /** 95% interval or least and greatest, drawn as whiskers (points) or as a band (lines). */
  readonly spread?: readonly (readonly [number, number] | null)[];
  /** How many answers a point stands for. */
  readonly n?: readonly (number | null)[];
  /** Places among the theme's colours, and among the patterns of dashes. */
  readonly tone: number;
  readonly dash: number;
  /** Indices where the line is broken off because what it measures changed. */
  readonly breaks?: ReadonlySet<number>;
}

export interface Figure {
  readonly id: string;
  readonly title: string;
  /** One sentence for whoever does not know the name. */
  readonly about: string;
  readonly unit: 'share' | 'number';
  readonly kind: 'lines' | 'points' | 'stack';
  readonly lines: readonly Line[];
  /** Its values are not those of the run: under which rules they were recomputed, and for how many rollouts. */
  readonly recomputed?: string;
}

/** Under one version of the rules nothing changes where another came. */
export const marksIn = ({ recomputed }: Figure, marks: readonly Mark[]): readonly Mark[] =>
  recomputed === undefined ? marks : marks.filter(({ kind }) => kind !== 'rules');

export const valueText = (figure: Figure, value: number | null | undefined): string =>
  figure.unit === 'share' ? percent(value) : plain(value);

/** With n and interval where the figure has them. */
export function fullText(figure: Figure, line: Line, index: number): string {
  const text = valueText(figure, line.values[index]);
  const spread = line.spread?.[index];
  const n = line.n?.[index];
  return [
    text,
    spread && `[${valueText(figure, spread[0])}, ${valueText(figure, spread[1])}]`,
    typeof n === 'number' && `n ${n}`,
  ]
    .filter(part => typeof part === 'string')
    .join(' ');
}

/** RFC 4180; the raw values, a row a step that has any. */
export function csvOf(figure: Figure, steps: readonly number[], runNames: readonly string[]): string {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const several = runNames.length > 1;
  const header = ['step'];
  const columns: ((i: number) => number | null | undefined)[] = [];
  for (const line of figure.lines) {
    const label = figure.recomputed === undefined ? line.label : `${line.label} (${figure.recomputed})`;
    const name = several ? `${runNames[line.run]}: ${label}` : label;
    header.push(name);
    columns.push(i => line.values[i]);
    if (line.spread !== undefined) {
      header.push(`${name} low`, `${name} high`);
      columns.push(
        i => line.spread?.[i]?.[0],
        i => line.spread?.[i]?.[1],
      );
    }
    if (line.n !== undefined) {
      header.push(`${name} n`);
      columns.push(i => line.n?.[i]);
    }
  }
  const rows = steps.flatMap((step, i) => {
    const cells = columns.map(column => column(i) ?? null);
    return cells.every(cell => cell === null) ? [] : [[step, ...cells.map(cell => cell ?? '')].join(',')];
  });
  return `${[header.map(quoted).join(','), ...rows].join('\r\n')}\r\n`;
}
