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
  for (const part of microBatches(groups, options)) {
    const result = await gradient(
      model,
      options.objective,
      part.map(i => groups[i] as TrainedGroup),
      options.temperature,
      options.frozen,
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

/** Indices of groups that run together: of one kind (with images or without), in order. */
function microBatches(groups: readonly TrainedGroup[], options: StepOptions): number[][] {
  const { objective, microBatch } = options;
  const teaches = (g: TrainedGroup): boolean =>
    objective.kind === 'sft' || objective.beta > 0 || g.completions.some(c => c.advantage !== 0);
  const kinds = [false, true].map(images =>
    groups.flatMap((g, i) => (g.prompt.images.length > 0 === images && teaches(g) ? [i] : [])),
  );
  return kinds.flatMap(indices =>
    Array.from({ length: Math.ceil(indices.length / microBatch) }, (_, i) =>
      indices.slice(i * microBatch, (i + 1) * microBatch),
    ),
  );
}
