// Curves where no trainer's log is: the means of what the rollouts themselves hold, step by step, under TRL's names.

import type { Curves } from '../../protocol/query';
import { noCurves } from '../folder/curves';
import type { Shelved } from '../shelf';
import type { StepMeans } from '../table/table';

/** Of which columns, by the names of their metrics. */
export function meansOf({ columns, rules }: Pick<Shelved, 'columns' | 'rules'>): Readonly<Record<string, string>> {
  const held = new Set(columns.filter(({ type }) => type === 'number').map(({ name }) => name));
  const named: readonly (readonly [metric: string, column: string])[] = [
    ['reward', 'reward'],
    ...rules.map(rule => [`rewards/${rule}/mean`, rule] as const),
    ['completions/mean_length', 'completion_tokens'],
  ];
  return Object.fromEntries(named.filter(([, column]) => held.has(column)));
}

export function curvesOfMeans(folder: string, metrics: readonly string[], steps: readonly StepMeans[]): Curves {
  return {
    ...noCurves(folder),
    steps: steps.map(({ step }) => step),
    phase: steps.map(() => null),
    metrics: Object.fromEntries(metrics.map((metric, i) => [metric, steps.map(({ means }) => means[i] ?? null)])),
  };
}
