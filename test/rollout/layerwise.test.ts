import assert from 'node:assert/strict';
import { Model } from '../../src/model/model';
import { Random } from '../../src/protocol/random';
import { Generation } from '../../src/rollout/generation';
import { greatestDifference, readPrompts, referenceModels } from '../model/reference';

const cpu = { device: 'cpu', threads: 2 } as const;

async function generated(model: Model, folder: string, cases: readonly string[], temperature: number) {
  const prompts = await readPrompts(folder);
  const options = { samples: 3, maxTokens: 40, temperature, stopIds: [] };
  const random = cases.flatMap((_, b) => [0, 1, 2].map(g => new Random(7, b, g)));
  const generation = await Generation.start(
    model,
    cases.map(name => prompts.get(name)!),
    options,
    random,
  );
  return ((await generation.finish()) ?? []).flat();
}

describe('generation layer by layer', () => {
  it('gives the completions of the graph of the whole model, with images and without', async function () {
    this.timeout(120_000);
    for (const folder of (await referenceModels()).slice(0, 2)) {
      const whole = await Model.load(folder, cpu);
      const layers = new Model(whole.config, whole.weights, { ...cpu, layerwise: true });
      for (const cases of [
        ['text', 'text'],
        ['one', 'two'],
      ]) {
        const [expected, actual] = [
          await generated(whole, folder, cases, 0.7),
          await generated(layers, folder, cases, 0.7),
        ];
        assert.deepEqual(
          actual.map(s => s.tokenIds),
          expected.map(s => s.tokenIds),
        );
        expected.forEach((s, i) =>
          assert.ok(greatestDifference(Float32Array.from(actual[i]!.logProbs), Float32Array.from(s.logProbs)) < 1e-4),
        );
      }
      await whole.dispose();
      await layers.dispose();
    }
  });

  it('is that of the model when its matrices are held as float16, but for what float16 rounds away', async function () {
    this.timeout(120_000);
    for (const folder of (await referenceModels()).slice(0, 2)) {
      const whole = await Model.load(folder, cpu);
      const halves = await Model.load(folder, { ...cpu, precision: 'f16', layerwise: true });
      assert.ok([...halves.weights.values()].every(({ dims }) => dims.length !== 2));
      assert.equal(halves.weights.size + (halves.options.frozen?.size ?? 0), whole.weights.size);
      // the first token stands on one pass over the prompt
      const [expected, actual] = [
        await generated(whole, folder, ['one'], 0),
        await generated(halves, folder, ['one'], 0),
      ];
      assert.equal(actual[0]!.tokenIds[0], expected[0]!.tokenIds[0]);
      const difference = Math.abs(actual[0]!.logProbs[0]! - expected[0]!.logProbs[0]!);
      assert.ok(difference > 0 && difference < 0.05, `${difference}`);
      await whole.dispose();
      await halves.dispose();
    }
  });
});
