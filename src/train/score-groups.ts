// Log-probabilities of all groups of a step, in the micro-batches that the update runs in.

import type { Model } from '../model/model';
import { dealt } from '../model/share';
import type { Weights } from '../model/weights';
import type { Together } from '../tensor/together';
import { scoresOfShare, type TokenScores, type TrainedGroup } from './gradient';
import { microBatches } from './step';

export interface ScoreOptions {
  readonly temperature: number;
  /** Prompts in one run. */
  readonly microBatch: number;
  /** Fewer where memory is short; absent: that is an error. */
  readonly together?: Together;
  /** Default: the model's own. */
  readonly weights?: Weights;
}

/** By group and completion. */
export async function scoreGroups(
  model: Model,
  groups: readonly TrainedGroup[],
  options: ScoreOptions,
): Promise<readonly (readonly TokenScores[])[]> {
  const size = Math.min(options.microBatch, Math.max(1, groups.length));
  const run = (microBatch: number) => scoreParts(model, groups, { ...options, microBatch });
  return options.together?.fitting(size, run, () => model.freeSessions()) ?? run(size);
}

async function scoreParts(
  model: Model,
  groups: readonly TrainedGroup[],
  { temperature, microBatch, weights }: ScoreOptions,
): Promise<readonly (readonly TokenScores[])[]> {
  const shares = dealt(microBatches(groups, [...groups.keys()], microBatch, model.shares), model.shares);
  const scores = await model.inShares(
    scoresOfShare,
    shares.map(parts => ({ parts: parts.map(part => part.map(i => groups[i] as TrainedGroup)), temperature })),
    weights,
  );
  const out: (readonly TokenScores[])[] = [];
  shares.forEach((parts, k) => {
    parts.flat().forEach((i, j) => {
      out[i] = scores[k]?.[j] as readonly TokenScores[];
    });
  });
  return out;
}
