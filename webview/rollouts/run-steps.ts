// The steps of a run that have rollouts, with their phases.

import type { Curves, RunSummary } from '../../src/protocol/query';

export interface RunSteps {
  readonly steps: readonly number[];
  readonly phases: ReadonlyMap<number, string | null>;
}

export function stepsOf(summary: RunSummary, curves: Curves): RunSteps {
  const [first, last] = summary.steps ?? [0, -1];
  const each = curves.every === undefined;
  const known = each ? curves.steps.filter(step => step >= first && step <= last) : [];
  const steps =
    known.length === 0 && summary.steps !== undefined
      ? Array.from({ length: last - first + 1 }, (_, i) => first + i)
      : known;
  const phases: ReadonlyMap<number, string | null> = each
    ? new Map(curves.steps.map((step, i) => [step, curves.phase[i] ?? null]))
    : new Map(steps.map(step => [step, phaseAt(curves, step)]));
  return { steps, phases };
}

/** Of a run whose points stand for several steps: by where its phases begin. */
const phaseAt = ({ boundaries }: Curves, step: number): string | null =>
  boundaries.findLast(boundary => boundary.kind === 'phase' && boundary.step < step)?.label ?? null;
