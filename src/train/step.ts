// One optimiser step: micro-batches, their gradients summed, clipped, AdamW.

import type { Model } from '../model/model';
import { dealt } from '../model/share';
import { TriphaseError } from '../protocol/errors';
import { type AdamWOptions, type AdamWState, clipScale, globalNorm } from '../tensor/adamw';
import { DeviceGradients, notFiniteOnDevice } from '../tensor/device-adamw';
import type { FloatTensor } from '../tensor/tensor';
import type { Together } from '../tensor/together';
import { inWords, notFinite } from './finite';
import {
  type Frozen,
  gradient,
  gradientOfShare,
  type Objective,
  residentGradient,
  type TokenScores,
  type TrainedGroup,
  taughtTokens,
} from './gradient';
import { type Added, addGradients, partsOf } from './update';

export interface StepOptions {
  readonly objective: Objective;
  readonly temperature: number;
  readonly optimizer: AdamWOptions;
  readonly maxGradNorm: number;
  /** Prompts in one run of the gradient graph. */
  readonly microBatch: number;
  /** Fewer where memory is short; absent: that is an error. */
  readonly together?: Together;
  readonly frozen: Frozen;
  /** Of the random numbers of the update, for the dropout of an adapter; absent: nothing is dropped out. */
  readonly path?: readonly (number | string)[];
}

export interface StepResult {
  readonly loss: number;
  /** Before clipping. */
  readonly gradNorm: number;
  /** By group and completion; undefined for groups that had nothing to teach and were not run. */
  readonly scores: readonly (readonly TokenScores[] | undefined)[];
}

/**
 * Changes the model's parameters and the optimiser's state in place.
 *
 * @throws TriphaseError 'not-finite': before anything is changed where it is of the loss or the gradient; one of the
 *   parameters says that they are lost
 */
export async function trainStep(
  model: Model,
  state: AdamWState,
  groups: readonly TrainedGroup[],
  options: StepOptions,
): Promise<StepResult> {
  if (model.resident) return residentStep(model, state, groups, options);
  const teaching = groups.flatMap((g, i) => (teaches(g, options.objective) ? [i] : []));
  const size = Math.min(options.microBatch, Math.max(1, teaching.length));
  const run = (size: number) => summedGradient(model, groups, teaching, size, options);
  const { added, loss, scores } = await (options.together?.fitting(size, run, () => model.freeSessions()) ?? run(size));
  const { squares } = added;
  const gradNorm = Math.sqrt([...squares.values()].reduce((sum, square) => sum + square, 0));
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
    throw await noGradient(
      model,
      teaching.map(i => groups[i] as TrainedGroup),
      options,
      { loss, gradNorm, squares },
    );
  if (!(await added.apply(state, options.optimizer, clipScale(gradNorm, options.maxGradNorm))))
    refuseUpdate(model, state, squares.keys(), groups);
  return { loss, gradNorm, scores };
}

interface SummedGradient {
  readonly added: Added;
  readonly loss: number;
  readonly scores: readonly (readonly TokenScores[] | undefined)[];
}

/** @param microBatch prompts in one run */
async function summedGradient(
  model: Model,
  groups: readonly TrainedGroup[],
  teaching: readonly number[],
  microBatch: number,
  options: StepOptions,
): Promise<SummedGradient> {
  const { objective, temperature, frozen, path } = options;
  const shares = dealt([...microBatches(groups, teaching, microBatch, model.shares).entries()], model.shares);
  const kept = partsOf(model, shares.length);
  const results = await model.inShares(
    gradientOfShare,
    shares.map((batches, k) => ({
      objective,
      parts: batches.map(([number, batch]) => ({
        groups: batch.map(i => groups[i] as TrainedGroup),
        ...(path === undefined ? {} : { path: [...path, number] }),
      })),
      temperature,
      frozen,
      ...(kept === undefined ? {} : { keeps: kept[k] as readonly string[] }),
    })),
  );
  const scores: (readonly TokenScores[] | undefined)[] = groups.map(() => undefined);
  shares.forEach((batches, k) => {
    batches
      .flatMap(([, batch]) => batch)
      .forEach((i, j) => {
        scores[i] = results[k]?.scores[j];
      });
  });
  // in the order of the shares, whichever was there first
  const loss = results.reduce((sum, result) => sum + result.loss, 0);
  const added = await addGradients(
    model,
    results.map(({ grads }) => grads),
    kept,
  );
  return { added, loss, scores };
}

/** The same on a device that keeps parameters, gradients and moments: the host sees losses, scores and a norm. */
async function residentStep(
  model: Model,
  state: AdamWState,
  groups: readonly TrainedGroup[],
  options: StepOptions,
): Promise<StepResult> {
  const { objective, temperature, optimizer, maxGradNorm, frozen, path, together } = options;
  const scores: (readonly TokenScores[] | undefined)[] = groups.map(() => undefined);
  const teaching = groups.flatMap((g, i) => (teaches(g, objective) ? [i] : []));
  const size = Math.min(options.microBatch, Math.max(1, teaching.length));
  const grads = new DeviceGradients();
  const run = async (size: number): Promise<number> => {
    let loss = 0;
    grads.dispose();
    for (const [number, part] of microBatches(groups, teaching, size).entries()) {
      const among = part.map(i => groups[i] as TrainedGroup);
      const drawn = path === undefined ? undefined : [...path, number];
      const result = await residentGradient(model, objective, among, temperature, frozen, drawn);
      loss += result.loss;
      await grads.add(result.grads);
      part.forEach((i, j) => {
        scores[i] = result.scores[j];
      });
    }
    return loss;
  };
  try {
    const loss = await (together?.fitting(size, run, () => model.freeSessions()) ?? run(size));
    const gradNorm = await grads.norm();
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
      throw await noGradient(
        model,
        teaching.map(i => groups[i] as TrainedGroup),
        options,
        { loss, gradNorm, squares: new Map() },
      );
    const changed = await grads.apply(model.weights, state, optimizer, clipScale(gradNorm, maxGradNorm));
    refuseOverflow('parameters', await notFiniteOnDevice(changed.parameters), changed.parameters.size, groups);
    refuseOverflow("the optimiser's moments", await notFiniteOnDevice(changed.moments), changed.moments.size, groups);
    return { loss, gradNorm, scores };
  } finally {
    grads.dispose();
  }
}

const advice =
  'Lower optimizer.learning_rate or optimizer.max_grad_norm in the config, and begin a new run from the last checkpoint.';

/** What is wrong with a step's gradient: each example is run alone, for the step is lost anyway. */
async function noGradient(
  model: Model,
  groups: readonly TrainedGroup[],
  { objective, temperature, frozen }: StepOptions,
  { loss, gradNorm, squares }: { loss: number; gradNorm: number; squares: Added['squares'] },
): Promise<TriphaseError> {
  const guilty: TrainedGroup[] = [];
  for (const group of groups) {
    const alone = await gradient(model, objective, [group], temperature, frozen);
    if (!Number.isFinite(alone.loss) || !Number.isFinite(globalNorm(alone.grads))) guilty.push(group);
  }
  const tensors = [...squares].flatMap(([name, sum]) => (Number.isFinite(sum) ? [] : [name]));
  const what = Number.isFinite(loss)
    ? `the gradient is not finite (norm ${gradNorm})`
    : `the loss is not finite (${loss})`;
  const of = tensors.length === 0 ? '' : `; ${tensors.length} of ${squares.size} tensors: ${inWords(tensors)}`;
  return new TriphaseError('not-finite', `${what}${examplesOf(guilty.length === 0 ? groups : guilty)}${of}`, advice);
}

/** What an update made of parameters that a gradient without fault can still overflow. */
function refuseUpdate(
  { weights }: Model,
  { moments }: AdamWState,
  changed: Iterable<string>,
  groups: readonly TrainedGroup[],
): void {
  const names = [...changed];
  const parameters = notFinite(names.map(name => [name, weights.get(name) as FloatTensor]));
  const estimates = notFinite(names.flatMap(name => [[name, { data: moments.get(name)?.v ?? new Float32Array() }]]));
  refuseOverflow('parameters', parameters, names.length, groups);
  refuseOverflow("the optimiser's moments", estimates, names.length, groups);
}

/** @param tensors those that are not finite, by name */
function refuseOverflow(what: string, tensors: readonly string[], of: number, groups: readonly TrainedGroup[]): void {
  if (tensors.length === 0) return;
  throw new TriphaseError(
    'not-finite',
    `the update made ${what} that are not finite${examplesOf(groups)}; ${tensors.length} of ${of} tensors: ${inWords(tensors)}`,
    advice,
  );
}

const examplesOf = (groups: readonly TrainedGroup[]): string => {
  const names = [...new Set(groups.flatMap(({ example }) => (example === undefined ? [] : [example])))];
  return names.length === 0 ? '' : `; ${names.length === 1 ? 'example' : 'examples'} ${inWords(names)}`;
};

/** Whether a group can change the model; one whose completions all count for nothing is not run. */
function teaches({ completions }: TrainedGroup, objective: Objective): boolean {
  if (objective.kind !== 'grpo') return true;
  const always = objective.beta > 0 || objective.entropyBonus === true;
  return completions.some(c => (always || c.advantage !== 0) && taughtTokens(c) > 0);
}

/**
 * Groups that run together: of one kind (with images or without), in order.
 *
 * @param among indices of groups
 * @param size groups that are in memory at a time, where that leaves one for each share
 * @param shares so many run side by side, and have as many groups together
 */
export function microBatches(
  groups: readonly { readonly prompt: TrainedGroup['prompt'] }[],
  among: readonly number[],
  size: number,
  shares = 1,
): number[][] {
  const kinds = [false, true].map(images => among.filter(i => images === (groups[i]?.prompt.images.length ?? 0) > 0));
  return kinds.flatMap(indices => {
    const each = Math.ceil(Math.min(size, indices.length) / shares);
    return indices.length === 0
      ? []
      : Array.from({ length: Math.ceil(indices.length / each) }, (_, i) => indices.slice(i * each, (i + 1) * each));
  });
}
