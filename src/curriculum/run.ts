// The curriculum, from the first evaluation to the last checkpoint. Read from top to bottom it is the whole of a run:
// load, evaluate the base; for every phase its steps, a checkpoint, an evaluation. What happens within a step is in
// grpo-step.ts and sft-step.ts. Left out here: who shows it, who writes the log, who asks it to stop (src/host).

import path from 'node:path';
import { phaseSettings } from '../config/resolved';
import type { Curriculum, Phase } from '../config/schema';
import { compileUserMessage } from '../data/views';
import { loadModelConfig } from '../model/config';
import { initialWeights } from '../model/initialize';
import { Model } from '../model/model';
import { hasWeights, loadWeights, saveModel, type Weights } from '../model/weights';
import { TriphaseError } from '../protocol/errors';
import { ImageThread } from '../rollout/image-thread';
import { Prompter } from '../rollout/prompter';
import { type CheckpointPosition, openCheckpoint, phaseEndCheckpoint, writeCheckpoint } from '../run/checkpoints';
import { newAdamWState } from '../tensor/adamw';
import { chooseDevice } from '../tensor/session';
import { isVision } from '../train/gradient';
import { moveReference } from '../train/reference';
import { StepsAhead } from './ahead';
import { checkPrompts } from './check-prompts';
import type { RunContext } from './context';
import { evaluateModel } from './evaluation';
import { grpoStep, type PhaseSupport } from './grpo-step';
import type { CurriculumJob, JobResult } from './job';
import { phaseOrder } from './order';
import { rankedSources } from './ranks';
import { frozenParts } from './settings';
import { sftStep } from './sft-step';
import { loadRunData, type RunData } from './sources';
import { loadOptimizer, loadReference, saveOptimizer, saveReference } from './state';
import { TeachingWatch } from './teaching';

/** Steps of a phase, and examples an evaluation, of a quick run. */
const QUICK = { steps: 3, evaluated: 16 } as const;

export async function runCurriculum(job: CurriculumJob): Promise<JobResult> {
  const config = job.quick ? quick(job.config) : job.config;
  const phases = config.phases.filter(p => job.onlyPhase === undefined || p.id === job.onlyPhase);
  if (phases.length === 0)
    throw new TriphaseError(
      'usage',
      `there is no phase ${job.onlyPhase}`,
      `Phases: ${config.phases.map(p => p.id).join(', ')}.`,
    );
  const steps = phases.reduce((n, p) => n + p.steps, 0);
  job.emit({
    kind: 'plan',
    phases: phases.map(p => ({ phase: p.id, trainer: p.trainer, view: p.view, steps: p.steps })),
    steps,
  });

  job.activity({ what: 'reading data' });
  const data = await loadRunData(config, phases);
  job.emit({ kind: 'data', sources: data.reports });
  const { device, refused } = await chooseDevice(config.device);
  job.emit({
    kind: 'device',
    asked: config.device,
    used: device,
    threads: config.threads,
    refused: refused.map(({ device, reason }) => ({ device, why: reason })),
  });

  job.activity({ what: 'loading the model' });
  const start = job.resumeFrom === undefined ? undefined : openCheckpoint(job.resumeFrom);
  const source = job.resumeFrom ?? config.model.path;
  const modelConfig = await loadModelConfig(source);
  const weights = job.resumeFrom === undefined ? await baseWeights(config) : await loadWeights(source, modelConfig);
  const images = ImageThread.start();
  const context: RunContext = {
    job,
    config,
    model: new Model(modelConfig, weights, {
      device,
      threads: config.threads,
      visionFrozen: frozenParts(config).has('vision'),
    }),
    prompter: await Prompter.load(source, modelConfig, images?.decode),
    userMessage: compileUserMessage(config.prompt),
    optimizer: job.resumeFrom === undefined ? newAdamWState() : await loadOptimizer(job.resumeFrom),
    companions: source,
  };
  try {
    await checkPrompts(
      [...data.phases.values()].flatMap(list => list.map(({ source, examples }) => ({ examples, view: source.view }))),
      {
        prompter: context.prompter,
        userMessage: context.userMessage,
        system: config.prompt.system,
        maxTokens: config.prompt.max_tokens,
        progress: (done, total) => job.activity({ what: 'checking prompts', done, total }),
      },
    );
    return await runPhases(context, phases, data, start);
  } finally {
    await images?.close();
    await context.model.dispose();
  }
}

async function runPhases(
  context: RunContext,
  phases: readonly Phase[],
  data: RunData,
  start: CheckpointPosition | undefined,
): Promise<JobResult> {
  let step = start?.step ?? 0;
  let previous: string | undefined;
  const first = start === undefined ? 0 : phases.findIndex(p => p.id === start.phase);
  if (first < 0)
    throw new TriphaseError('run-folder', `the checkpoint is of phase ${start?.phase}, which the config does not have`);

  if (start === undefined && !(await evaluateAt(context, data, 'base', 0, true))) return 'stopped';
  for (const [index, phase] of phases.entries()) {
    if (index < first) {
      previous = phase.id;
      continue;
    }
    const resumed = index === first && start !== undefined;
    if (!(resumed && start.boundary)) {
      const done = await runPhase(context, phase, index, data, resumed ? start.phaseStep : 0, step, previous);
      if (done === 'stopped') return 'stopped';
      step += phase.steps - (resumed ? start.phaseStep : 0);
    }
    if (!(await evaluateAt(context, data, phase.id, step, true))) return 'stopped';
    previous = phase.id;
  }
  return 'finished';
}

/** @param before steps of the run before this call */
async function runPhase(
  context: RunContext,
  phase: Phase,
  index: number,
  data: RunData,
  firstStep: number,
  before: number,
  previous: string | undefined,
): Promise<JobResult> {
  const { job, config } = context;
  const started = performance.now();
  const settings = phaseSettings(config, phase);
  const sources = await rankedSources(context, phase, settings, data.phases.get(phase.id) ?? [], firstStep);
  if (sources === 'stopped') return 'stopped';
  const order = phaseOrder(sources, phase.steps, phase.prompts, config.seed, phase.id);
  const ahead = new StepsAhead(order, context.prompter);
  const examples = sources.reduce((n, s) => n + s.examples.length, 0);
  if (firstStep === 0 && settings.optimizer.reset) context.optimizer.moments.clear();
  const { grpo } = settings;
  delete context.following;
  const reference =
    grpo.beta > 0 && phase.trainer === 'grpo'
      ? await referenceWeights(context, grpo.reference, previous, firstStep)
      : undefined;
  if (reference !== undefined && grpo.reference === 'follow') context.following = reference;
  const { trainer, view, steps } = phase;
  job.emit({
    kind: 'phase-started',
    phase: phase.id,
    index,
    trainer,
    view,
    steps,
    examples,
    phaseStep: firstStep,
    step: before,
  });

  const watch = new TeachingWatch();
  for (let i = firstStep; i < phase.steps; i++) {
    const step = before + i - firstStep + 1;
    const at = { phase, phaseStep: i + 1, step, settings };
    try {
      const shown = ahead.take(i);
      if (phase.trainer === 'sft') {
        const report = await sftStep(context, at, shown);
        job.emit({ kind: 'step', phase: phase.id, phaseStep: i + 1, step, ...report });
      } else {
        const spare: PhaseSupport['spare'] = (round, count) =>
          phaseOrder(sources, 1, count, config.seed, `${phase.id} ${i + 1} instead ${round}`).shown(0);
        const { teaching, ...report } = await grpoStep(context, at, shown, { reference, spare });
        job.emit({ kind: 'step', phase: phase.id, phaseStep: i + 1, step, ...report });
        const warning = watch.see(teaching);
        if (warning !== undefined)
          job.emit({ kind: 'warning', ...warning, message: `phase ${phase.id}, step ${i + 1}: ${warning.message}` });
      }
    } catch (error) {
      throw located(error, phase, i + 1, step);
    }
    if (context.following !== undefined && (i + 1) % grpo.ref_model_sync_steps === 0)
      moveReference(context.following, context.model.weights, grpo.ref_model_mixup_alpha);
    const last = i === phase.steps - 1;
    const stop = job.stopRequested();
    const halt = stop || job.pauseRequested();
    const due = config.checkpoints.every > 0 && (i + 1) % config.checkpoints.every === 0;
    if (last || halt || due) await checkpoint(context, phase, i + 1, step, last);
    if (last)
      job.emit({ kind: 'phase-ended', phase: phase.id, index, step, seconds: (performance.now() - started) / 1000 });
    if (stop || (halt && job.rest(step) === 'stop')) return 'stopped';
    const every = config.evaluation.every;
    if (!last && every > 0 && (i + 1) % every === 0 && !(await evaluateAt(context, data, phase.id, step, false))) {
      if (!due && !halt) await checkpoint(context, phase, i + 1, step, false);
      return 'stopped';
    }
  }
  return 'finished';
}

/** An error of a step, with the step named. */
function located(error: unknown, phase: Phase, phaseStep: number, step: number): unknown {
  if (!(error instanceof TriphaseError)) return error;
  return new TriphaseError(
    error.code,
    `phase ${phase.id}, step ${phaseStep} (${step} of the run): ${error.message}`,
    error.remedy,
    error.place,
  );
}

async function checkpoint(
  context: RunContext,
  phase: Phase,
  phaseStep: number,
  step: number,
  boundary: boolean,
): Promise<void> {
  const { job, config, model, optimizer } = context;
  const started = performance.now();
  const position = { phase: phase.id, phaseStep, step, attempt: job.attempt, boundary };
  const { folder, removed } = await writeCheckpoint(job.folder, position, config.checkpoints.keep, async into => {
    await saveModel(into, model.config, model.weights, context.companions);
    await saveOptimizer(into, optimizer);
    // the next phase begins with a reference of its own
    if (context.following !== undefined && !boundary) await saveReference(into, context.following);
  });
  context.companions = path.join(job.folder, folder);
  job.emit({
    kind: 'checkpoint',
    phase: phase.id,
    phaseStep,
    step,
    folder,
    removed,
    seconds: (performance.now() - started) / 1000,
  });
}

/** @returns whether it went to its end */
async function evaluateAt(
  context: RunContext,
  data: RunData,
  at: string,
  step: number,
  boundary: boolean,
): Promise<boolean> {
  const { job, config, model, prompter, userMessage } = context;
  if (data.evaluation.length === 0) return true;
  const evaluated = { config, model, prompter, userMessage, examples: data.evaluation };
  const evaluation = await evaluateModel(evaluated, at, {
    activity: job.activity,
    // between two batches nothing is to be saved that is not: a pause may be here
    stopRequested: () => job.stopRequested() || (job.pauseRequested() && job.rest(step) === 'stop'),
  });
  if (evaluation === undefined) return false;
  job.emit({ kind: 'evaluation', at, step, boundary, ...evaluation });
  return true;
}

/** The model that the run begins from. */
async function baseWeights({ model }: Curriculum): Promise<Weights> {
  const config = await loadModelConfig(model.path);
  return model.init !== undefined && !(await hasWeights(model.path))
    ? initialWeights(config, model.init)
    : loadWeights(model.path, config);
}

/** The reference of the KL penalty: the base, what the phase before ended with, or what follows from there. */
async function referenceWeights(
  { job, config, model }: RunContext,
  kind: 'base' | 'previous' | 'follow',
  previous: string | undefined,
  firstStep: number,
): Promise<Weights> {
  if (kind === 'follow')
    return firstStep > 0 && job.resumeFrom !== undefined ? loadReference(job.resumeFrom) : model.snapshot();
  if (kind === 'base' || previous === undefined) return withFrozenOf(await baseWeights(config), model, config);
  const folder = phaseEndCheckpoint(job.folder, previous);
  if (folder === undefined)
    throw new TriphaseError(
      'run-folder',
      `the checkpoint at the end of phase ${previous} is gone, and phase settings ask for it as the reference`,
      'Set grpo.reference to base.',
    );
  return withFrozenOf(await loadWeights(folder, model.config), model, config);
}

/** Frozen parts are those of the model: they are equal, and lie in memory once. */
function withFrozenOf(weights: Weights, model: Model, config: Curriculum): Weights {
  const frozen = frozenParts(config);
  const own = [...model.weights].filter(([name]) => frozen.has('vision') && isVision(name));
  return new Map([...weights, ...own]);
}

function quick(config: Curriculum): Curriculum {
  return {
    ...config,
    phases: config.phases.map(p => ({ ...p, steps: Math.min(p.steps, QUICK.steps) })),
    evaluation: { ...config.evaluation, limit: Math.min(config.evaluation.limit ?? QUICK.evaluated, QUICK.evaluated) },
  };
}
