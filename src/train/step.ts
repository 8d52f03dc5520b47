// One optimiser step: micro-batches, their gradients summed, clipped, AdamW.

import type { Model } from '../model/model';
import { dealt } from '../model/share';
import { TriphaseError } from '../protocol/errors';
import { type AdamWOptions, type AdamWState, adamW, clipScale, globalNorm } from '../tensor/adamw';
import { type Frozen, gradientOfShare, type Objective, summed, type TokenScores, type TrainedGroup } from './gradient';

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
  const scores: (readonly TokenScores[] | undefined)[] = groups.map(() => undefined);
  const teaching = groups.flatMap((g, i) => (teaches(g, options.objective) ? [i] : []));
  const batches = microBatches(groups, teaching, options.microBatch, model.shares);
  const shares = dealt([...batches.entries()], model.shares);
  const { objective, temperature, frozen, path } = options;
  const results = await model.inShares(
    gradientOfShare,
    shares.map(batches => ({
      objective,
      parts: batches.map(([number, batch]) => ({
        groups: batch.map(i => groups[i] as TrainedGroup),
        ...(path === undefined ? {} : { path: [...path, number] }),
      })),
      temperature,
      frozen,
    })),
  );
  shares.forEach((batches, k) => {
    batches
      .flatMap(([, batch]) => batch)
      .forEach((i, j) => {
        scores[i] = results[k]?.scores[j];
      });
  });
  // in the order of the shares, whichever was there first
  const { loss, grads } = summed(results);
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
