// One optimiser step: micro-batches, their gradients summed, clipped, AdamW.

import type { Model } from '../model/model';
import { TriphaseError } from '../protocol/errors';
import { type AdamWOptions, type AdamWState, accumulate, adamW, clipScale, globalNorm } from '../tensor/adamw';
import type { FloatTensor } from '../tensor/session';
import { type Frozen, gradient, type Objective, type TokenScores, type TrainedGroup } from './gradient';

export interface StepOptions {
  readonly objective: Objective;
  readonly temperature: number;
  readonly optimizer: AdamWOptions;
  readonly maxGradNorm: number;
  /** Prompts in one run of the gradient graph. */
  readonly microBatch: number;
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
 * @throws TriphaseError 'not-finite' before anything is changed
 */
export async function trainStep(
  model: Model,
  state: AdamWState,
  groups: readonly TrainedGroup[],
  options: StepOptions,
): Promise<StepResult> {
  const grads = new Map<string, FloatTensor>();
  const scores: (readonly TokenScores[] | undefined)[] = groups.map(() => undefined);
  let loss = 0;
  const teaching = groups.flatMap((g, i) => (teaches(g, options.objective) ? [i] : []));
  for (const [number, part] of microBatches(groups, teaching, options.microBatch).entries()) {
    const result = await gradient(
      model,
      options.objective,
      part.map(i => groups[i] as TrainedGroup),
      options.temperature,
      options.frozen,
      options.path === undefined ? undefined : [...options.path, number],
    );
    loss += result.loss;
    accumulate(grads, result.grads);
    part.forEach((i, j) => {
      scores[i] = result.scores[j];
    });
  }
  const gradNorm = globalNorm(grads);
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
    throw new TriphaseError(
      'not-finite',
      Number.isFinite(loss) ? `the gradient is not finite (norm ${gradNorm})` : `the loss is not finite (${loss})`,
      'Lower optimizer.learning_rate or optimizer.max_grad_norm, and resume from the last checkpoint.',
    );
  adamW(model.weights, grads, state, options.optimizer, clipScale(gradNorm, options.maxGradNorm));
  return { loss, gradNorm, scores };
}

/** Whether a group can change the model; one whose completions all count for nothing is not run. */
function teaches({ completions }: TrainedGroup, objective: Objective): boolean {
  if (objective.kind !== 'grpo') return true;
  const always = objective.beta > 0 || objective.entropyBonus === true;
  return completions.some(c => (always || c.advantage !== 0) && c.weights[0] !== 0);
}

/** Groups that run together: of one kind (with images or without), in order. @param among indices of groups */
export function microBatches(
  groups: readonly { readonly prompt: TrainedGroup['prompt'] }[],
  among: readonly number[],
  size: number,
): number[][] {
  const kinds = [false, true].map(images => among.filter(i => images === (groups[i]?.prompt.images.length ?? 0) > 0));
  return kinds.flatMap(indices =>
    Array.from({ length: Math.ceil(indices.length / size) }, (_, i) => indices.slice(i * size, (i + 1) * size)),
  );
}
