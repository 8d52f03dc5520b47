// Log-probabilities of all groups of a step, in the micro-batches that the update runs in.

import type { Model } from '../model/model';
import type { Weights } from '../model/weights';
import type { Together } from '../tensor/together';
import { score, type TokenScores, type TrainedGroup } from './gradient';
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
  return options.together?.fitting(size, run) ?? run(size);
}

async function scoreParts(
  model: Model,
  groups: readonly TrainedGroup[],
  { temperature, microBatch, weights }: ScoreOptions,
): Promise<readonly (readonly TokenScores[])[]> {
  const out: (readonly TokenScores[])[] = [];
  for (const part of microBatches(groups, [...groups.keys()], microBatch)) {
    const scores = await score(
      model,
      part.map(i => groups[i] as TrainedGroup),
      temperature,
      weights,
    );
    part.forEach((i, k) => {
      out[i] = scores[k] as readonly TokenScores[];
    });
  }
  return out;
}
