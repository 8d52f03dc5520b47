// The reference of the KL penalty: the base, what the phase before ended with, or what follows the model from there.

import type { Curriculum } from '../config/schema';
import type { Model } from '../model/model';
import { loadWeights, type Weights } from '../model/weights';
import { TriphaseError } from '../protocol/errors';
import { phaseEndCheckpoint, requireWhole } from '../run/checkpoints';
import { isVision } from '../train/gradient';
import { baseWeights } from './base-weights';
import type { RunContext } from './context';
import { frozenParts } from './settings';
import { loadReference } from './state';

/**
 * @param previous the phase before, where there is one
 * @param at steps done, in the phase and in the run
 */
export async function referenceWeights(
  { job, config, model }: RunContext,
  kind: 'base' | 'previous' | 'follow',
  previous: string | undefined,
  at: { readonly phaseStep: number; readonly step: number },
): Promise<Weights> {
  if (kind === 'follow')
    return at.phaseStep > 0 && job.resumeFrom !== undefined ? loadReference(job.resumeFrom) : model.snapshot();
  if (kind === 'base' || previous === undefined) return withFrozenOf(await baseWeights(config), model, config);
  const folder = phaseEndCheckpoint(job.folder, previous, at.step)?.folder;
  if (folder === undefined)
    throw new TriphaseError(
      'run-folder',
      `the checkpoint at the end of phase ${previous} is gone, and phase settings ask for it as the reference`,
      'Set grpo.reference to base.',
    );
  await requireWhole(folder);
  return withFrozenOf(await loadWeights(folder, model.config), model, config);
}

/** Frozen parts are those of the model: they are equal, and lie in memory once. */
function withFrozenOf(weights: Weights, model: Model, config: Curriculum): Weights {
  const frozen = frozenParts(config);
  const own = [...model.weights].filter(([name]) => frozen.has('vision') && isVision(name));
  return new Map([...weights, ...own]);
}
