// Figures of a run by step, from its events.

import type { Curves } from '../../protocol/query';
import type { EventOf, RunEvent } from '../../protocol/run';

export function curvesOf(folder: string, events: readonly RunEvent[]): Curves {
  const steps: EventOf<'step'>[] = [];
  const evaluations: EventOf<'evaluation'>[] = [];
  const boundaries: Curves['boundaries'][number][] = [];
  const warnings: Curves['warnings'][number][] = [];
  const checkpoints: Curves['checkpoints'][number][] = [];
  let at = 0;
  for (const event of events) {
    if ('step' in event) at = event.step;
    if (event.kind === 'step') steps.push(event);
    else if (event.kind === 'evaluation') evaluations.push(event);
    else if (event.kind === 'phase-started' && event.phaseStep === 0)
      boundaries.push({ step: event.step, label: event.phase, kind: 'phase' });
    else if (event.kind === 'run-started' && event.resumedFrom !== undefined)
      boundaries.push({ step: event.resumedFrom.step, label: `attempt ${event.attempt}`, kind: 'resumed' });
    else if (event.kind === 'rules')
      boundaries.push({ step: event.fromStep, label: `rules ${event.version}`, kind: 'rules' });
    else if (event.kind === 'warning') warnings.push({ step: at, message: event.message });
    else if (event.kind === 'micro-batch')
      warnings.push({
        step: event.step,
        message: `Memory was short (${event.part}): ${event.prompts} prompts run together and not ${event.before}; numbers may round otherwise from here on.`,
      });
    else if (event.kind === 'device-lost')
      warnings.push({ step: at, message: `The device ${event.device} was lost; the run went on with ${event.next}.` });
    else if (event.kind === 'checkpoint') checkpoints.push({ step: event.step, folder: event.folder });
  }
  return {
    folder,
    steps: steps.map(event => event.step),
    phase: steps.map(event => event.phase),
    metrics: columns(
      steps.map(event => ({
        ...event.metrics,
        ...Object.fromEntries(Object.entries(event.timings).map(([part, seconds]) => [`seconds/${part}`, seconds])),
      })),
    ),
    evaluations,
    boundaries,
    untaught: steps.flatMap(({ step, untaught }) => (untaught === undefined ? [] : [{ step, why: untaught }])),
    warnings,
    checkpoints,
    lastEvent: events.at(-1)?.n ?? 0,
  };
}

/** Steps as rows to a column for each metric, in the order in which they first come. */
export function columns(
  rows: readonly Readonly<Record<string, number | null>>[],
): Readonly<Record<string, readonly (number | null)[]>> {
  const names = new Set(rows.flatMap(row => Object.keys(row)));
  return Object.fromEntries([...names].map(name => [name, rows.map(row => row[name] ?? null)]));
}

/** Of a run that logged nothing. */
export const noCurves = (folder: string): Curves => ({
  folder,
  steps: [],
  phase: [],
  metrics: {},
  evaluations: [],
  boundaries: [],
  untaught: [],
  warnings: [],
  checkpoints: [],
  lastEvent: 0,
});
