import assert from 'node:assert/strict';
import { Model } from '../../src/model/model';
import type { EncodedPrompt } from '../../src/model/sequence-inputs';
import { Random } from '../../src/protocol/random';
import { completions } from '../../src/rollout/completions';
import { readPrompts } from '../model/reference';
import { referenceModel } from '../model/reference-model';

/** Says how many prompts ran through it together. */
class Watched extends Model {
  readonly batches: number[] = [];

  override async imageFeatures(...of: Parameters<Model['imageFeatures']>): ReturnType<Model['imageFeatures']> {
    this.batches.push(of[0].length);
    return super.imageFeatures(...of);
  }
}

describe('completions of many prompts', () => {
  it('are the same when only so many are written at once', async () => {
    const folder = referenceModel('tied');
    const { config, weights } = await Model.load(folder, { device: 'cpu', threads: 1 });
    const model = new Watched(config, weights, { device: 'cpu', threads: 1 });
    const one = (await readPrompts(folder)).get('one') as EncodedPrompt;
    const prompts = [one, one, one];
    const random = () => prompts.flatMap((_, b) => [0, 1].map(i => new Random(5, b, i)));
    const of = async (atOnce: number) => {
      model.batches.length = 0;
      const options = { samples: 2, temperature: 0.8, maxTokens: 6, stopIds: [], atOnce };
      const drawn = await completions(model, prompts, options, random);
      return { batches: [...model.batches], tokenIds: drawn.flat().map(s => s.tokenIds) };
    };
    const whole = await of(0);
    assert.deepEqual(whole.batches, [3]);
    for (const [atOnce, batches] of [
      [1, [1, 1, 1]],
      [4, [2, 1]],
      [5, [2, 1]],
      [6, [3]],
    ] as const)
      assert.deepEqual(await of(atOnce), { batches, tokenIds: whole.tokenIds });
    await model.dispose();
  });
});
