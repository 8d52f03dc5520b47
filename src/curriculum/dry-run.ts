// A run tried out: its config, data and prompts are checked as a run checks them, and of each phase a step is measured, an
// evaluation of a few examples and a checkpoint. From these follow the time, memory and disk of the whole run. All is
// written into a temporary folder, which is removed. Each phase begins from the model of the config.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Curriculum, Phase } from '../config/schema';
import { canShow } from '../evaluate/conditions';
import type { Activity, SourceReport } from '../protocol/run';
import type { JobEvent } from './job';
import { runCurriculum } from './run';
import { loadRunData } from './sources';

export interface PhaseEstimate {
  readonly phase: string;
  readonly steps: number;
  readonly secondsPerStep: number;
  /** Of the measured step; a phase takes longer or shorter as completions do. */
  readonly meanLengthTokens: number | undefined;
  readonly maxLengthTokens: number;
  readonly rolloutBytesPerStep: number;
  /** Completions that are sampled to order the phase, not part of the seconds of its steps. */
  readonly passRateCompletions: number;
}

export interface Estimate {
  readonly sources: readonly SourceReport[];
  readonly device: string;
  readonly phases: readonly PhaseEstimate[];
  readonly evaluations: { readonly count: number; readonly secondsEach: number };
  readonly checkpoints: {
    readonly written: number;
    readonly kept: number;
    readonly bytes: number;
    readonly seconds: number;
  };
  /** Highest memory of the process, bytes, on the CPU's side. */
  readonly memoryBytes: number;
  readonly totalSeconds: number;
  readonly diskBytes: number;
}

/** Examples of an evaluation that is measured. */
const EVALUATED = 32;

/** A first step that takes longer than this is the measure itself: building its graphs counts for little. */
const LONG_STEP_SECONDS = 60;

export interface DryRunOptions {
  readonly onlyPhase: string | undefined;
  readonly activity: (activity: Activity) => void;
}

/** Removes what was written also when it fails; `interrupt` is for a process that is about to end. */
export function dryRun(
  config: Curriculum,
  options: DryRunOptions,
): { readonly estimate: Promise<Estimate>; readonly interrupt: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'triphase-dry-run-'));
  const interrupt = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return { estimate: measureAll(config, folder, options).finally(interrupt), interrupt };
}

async function measureAll(config: Curriculum, folder: string, options: DryRunOptions): Promise<Estimate> {
  const phases = config.phases.filter(({ id }) => options.onlyPhase === undefined || id === options.onlyPhase);
  // images that stand in rows are written where nothing stays
  const tried: Curriculum = {
    ...config,
    run: { folder },
    data: Object.fromEntries(
      Object.entries(config.data).map(([id, set]) => [id, { ...set, image_cache: path.join(folder, 'images') }]),
    ),
  };
  const data = await loadRunData(tried, phases);
  const measured: MeasuredPhase[] = [];
  for (const [i, phase] of phases.entries()) measured.push(await measure(tried, phase, i === 0, folder, options));

  const estimates = phases.map((phase, i): PhaseEstimate => {
    const { seconds, length, rolloutBytes } = measured[i] as MeasuredPhase;
    const examples = (data.phases.get(phase.id) ?? []).reduce((n, source) => n + source.examples.length, 0);
    return {
      phase: phase.id,
      steps: phase.steps,
      secondsPerStep: seconds,
      meanLengthTokens: length,
      maxLengthTokens: phase.generation?.max_tokens ?? config.generation.max_tokens,
      rolloutBytesPerStep: rolloutBytes,
      passRateCompletions: phase.order.by === 'pass_rate' ? examples * phase.order.samples : 0,
    };
  });
  const evaluated = data.evaluation.length === 0 ? 0 : evaluationCount(config, phases);
  const { conditions } = config.evaluation;
  const shown = (examples: typeof data.evaluation) =>
    examples.reduce((n, example) => n + conditions.filter(condition => canShow(example, condition)).length, 0);
  // of several sets the measured examples are the first of the first
  const part = shown(data.evaluation.slice(0, EVALUATED));
  const evaluationSeconds = part === 0 ? 0 : ((measured[0]?.evaluation ?? 0) * shown(data.evaluation)) / part;

  const [first] = measured;
  const written = phases.reduce((n, { steps }) => n + checkpointsIn(steps, config.checkpoints.every), 0);
  const checkpoints = {
    written,
    kept: Math.min(written, phases.length + config.checkpoints.keep),
    bytes: Math.max(0, ...measured.map(m => m.checkpointBytes)),
    seconds: first?.checkpointSeconds ?? 0,
  };
  return {
    sources: data.reports,
    device: first?.device ?? 'cpu',
    phases: estimates,
    evaluations: { count: evaluated, secondsEach: evaluationSeconds },
    checkpoints,
    memoryBytes: process.resourceUsage().maxRSS * 1024,
    totalSeconds:
      estimates.reduce((s, e) => s + e.steps * e.secondsPerStep, 0) +
      evaluated * evaluationSeconds +
      written * checkpoints.seconds,
    diskBytes:
      checkpoints.kept * checkpoints.bytes + estimates.reduce((s, e) => s + e.steps * e.rolloutBytesPerStep, 0),
  };
}

interface MeasuredPhase {
  readonly seconds: number;
  readonly length: number | undefined;
  readonly rolloutBytes: number;
  readonly evaluation: number;
  readonly checkpointBytes: number;
  readonly checkpointSeconds: number;
  readonly device: string;
}

/** Two steps: the first builds graphs, the second is the measure. */
async function measure(
  config: Curriculum,
  phase: Phase,
  evaluate: boolean,
  home: string,
  { activity }: DryRunOptions,
): Promise<MeasuredPhase> {
  const folder = path.join(home, phase.id);
  const { limit = EVALUATED } = config.evaluation;
  const tried: Curriculum = {
    ...config,
    // pass rates of all examples would take as long as they do in the run
    phases: [{ ...phase, steps: Math.min(2, phase.steps), order: { ...phase.order, by: 'seed' } }],
    evaluation: {
      ...config.evaluation,
      ...(evaluate ? { limit: Math.min(limit, EVALUATED), every: 0 } : { data: [] }),
    },
    checkpoints: { every: 0, keep: 1 },
  };
  const events: JobEvent[] = [];
  let long = false;
  await runCurriculum({
    config: tried,
    folder,
    attempt: 1,
    quick: false,
    emit: event => {
      events.push(event);
      if (event.kind === 'step') long = (event.timings['total'] ?? 0) > LONG_STEP_SECONDS;
    },
    activity: ({ what, ...rest }) => activity({ what: `phase ${phase.id}: ${what}`, ...rest }),
    stopRequested: () => long,
    pauseRequested: () => false,
    rest: () => 'go on',
  });
  const last = events.findLast(event => event.kind === 'step');
  const evaluation = events.findLast(event => event.kind === 'evaluation');
  const checkpoint = events.findLast(event => event.kind === 'checkpoint');
  const device = events.find(event => event.kind === 'device');
  if (last === undefined || checkpoint === undefined) throw new Error('a step was not measured');
  return {
    seconds: last.timings['total'] ?? 0,
    length: last.metrics['completions/mean_length'],
    rolloutBytes: last.rollouts === undefined ? 0 : statSync(path.join(folder, last.rollouts)).size,
    evaluation: evaluation?.seconds ?? 0,
    checkpointBytes: folderBytes(path.join(folder, checkpoint.folder)),
    checkpointSeconds: checkpoint.seconds,
    device: device?.used ?? 'cpu',
  };
}

/** Before the first phase, after each, and in between where that is asked. */
function evaluationCount({ evaluation: { every } }: Curriculum, phases: readonly Phase[]): number {
  const between = phases.reduce((n, { steps }) => n + (every === 0 ? 0 : Math.ceil(steps / every) - 1), 0);
  return 1 + phases.length + between;
}

/** The last step of a phase always has one. */
const checkpointsIn = (steps: number, every: number): number => (every === 0 ? 1 : Math.ceil(steps / every));

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((n, entry) => n + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
