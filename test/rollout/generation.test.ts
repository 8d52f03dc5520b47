import assert from 'node:assert/strict';
import path from 'node:path';
import { Model } from '../../src/model/model';
import type { EncodedPrompt } from '../../src/model/sequence-inputs';
import { Random } from '../../src/protocol/random';
import { Generation, type GenerationOptions } from '../../src/rollout/generation';
import { draw } from '../../src/rollout/sampling';
import { score, type TrainedGroup } from '../../src/train/gradient';
import { greatestDifference, readPrompts, referenceModels } from '../model/reference';

const cpu = { device: 'cpu', threads: 1 } as const;
const options: GenerationOptions = { samples: 3, temperature: 0.7, maxTokens: 40, stopIds: [] };
const streams = (n: number): Random[] => Array.from({ length: n }, (_, i) => new Random(7, i));

async function withModel(
  f: (model: Model, prompts: Map<string, EncodedPrompt>, name: string) => Promise<void>,
): Promise<void> {
  for (const folder of await referenceModels()) {
    const model = await Model.load(folder, cpu);
    await f(model, await readPrompts(folder), path.basename(folder));
    await model.dispose();
  }
}

describe('generation', () => {
  it('reports the log-probabilities and entropies of the training graph, past the first cache', () =>
    withModel(async (model, prompts, name) => {
      const group = [...prompts.values()];
      const generation = await Generation.start(model, group, options, streams(group.length * 3));
      const samples = await generation.finish();
      assert.ok(samples);
      const trained = samples.map(
        (list, i): TrainedGroup => ({
          prompt: group[i]!,
          completions: list.map(s => ({ tokenIds: s.tokenIds, advantage: 0, weights: s.tokenIds })),
        }),
      );
      for (const images of [true, false]) {
        const part = trained.filter(g => g.prompt.images.length > 0 === images);
        const scores = await score(model, part, 0.7);
        part.forEach((g, i) =>
          g.completions.forEach((_, j) => {
            const sample = samples[trained.indexOf(g)]![j]!;
            assert.equal(sample.tokenIds.length, 40);
            assert.ok(greatestDifference(scores[i]![j]!.logProbs, sample.logProbs) < 1e-3, name);
            assert.ok(greatestDifference(scores[i]![j]!.entropy, sample.entropy) < 1e-3, name);
          }),
        );
      }
    }));

  it('gives the same completion whatever else is in the batch', () =>
    withModel(async (model, prompts) => {
      const [a, b] = [prompts.get('text')!, prompts.get('one')!];
      const together = await (await Generation.start(model, [a, b], options, streams(6))).finish();
      const alone = await (await Generation.start(model, [b], options, streams(6).slice(3))).finish();
      assert.deepEqual(
        together![1]!.map(s => s.tokenIds),
        alone![0]!.map(s => s.tokenIds),
      );
    }));

  it('ends at a stop token, which belongs to the completion', () =>
    withModel(async (model, prompts) => {
      const prompt = [prompts.get('text')!];
      const [[free] = []] = (await (
        await Generation.start(model, prompt, { ...options, samples: 1 }, streams(1))
      ).finish())!;
      const stopIds = [free!.tokenIds[4]!];
      const [[stopped] = []] = (await (
        await Generation.start(model, prompt, { ...options, samples: 1, stopIds }, streams(1))
      ).finish())!;
      const at = free!.tokenIds.indexOf(stopIds[0]!);
      assert.deepEqual(stopped!.tokenIds, free!.tokenIds.slice(0, at + 1));
      assert.equal(stopped!.stop, 'token');
      assert.equal(free!.stop, 'length');
    }));

  it('ends where a stop text appears', () =>
    withModel(async (model, prompts) => {
      const decode = (ids: readonly number[]): string => ids.map(i => `<${i}>`).join('');
      const prompt = [prompts.get('text')!];
      const [[free] = []] = (await (
        await Generation.start(model, prompt, { ...options, samples: 1 }, streams(1))
      ).finish())!;
      const texts = [decode(free!.tokenIds.slice(2, 4))];
      const stop = { texts, decode };
      const [[stopped] = []] = (await (
        await Generation.start(model, prompt, { ...options, samples: 1, stop }, streams(1))
      ).finish())!;
      assert.equal(stopped!.stop, 'text');
      assert.ok(decode(stopped!.tokenIds).endsWith(texts[0]!));
    }));

  it('yields each step, and takes a token that is forced', () =>
    withModel(async (model, prompts) => {
      const generation = await Generation.start(
        model,
        [prompts.get('text')!],
        { ...options, maxTokens: 3 },
        streams(3),
      );
      const indices: number[] = [];
      for await (const step of generation.steps((completion, index) =>
        completion === 1 && index === 1 ? 5 : undefined,
      )) {
        indices.push(step.index);
        assert.equal(step.logits.length, 3 * model.config.text.vocabSize);
      }
      assert.deepEqual(indices, [0, 1, 2]);
      assert.equal(generation.samples()[0]![1]!.tokenIds[1], 5);
    }));
});

describe('draw', () => {
  const logits = Float32Array.of(1, 3, 2, -1);
  const probability = (t: number): number[] => {
    const e = [...logits].map(x => Math.exp(x / t));
    return e.map(x => x / e.reduce((a, b) => a + b));
  };

  it('samples from softmax(logits / temperature)', () => {
    const n = 20_000;
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) counts[draw(logits, 0, 4, 2, random.uniform()).token]!++;
    probability(2).forEach((p, i) => assert.ok(Math.abs(counts[i]! / n - p) < 4 * Math.sqrt((p * (1 - p)) / n)));
  });

  it('reports log-probability and entropy of that distribution, and of temperature 1 when greedy', () => {
    for (const t of [0.5, 2, 0]) {
      const p = probability(t === 0 ? 1 : t);
      const { token, logProb, entropy } = draw(logits, 0, 4, t, 0.99);
      if (t === 0) assert.equal(token, 1);
      assert.ok(Math.abs(logProb - Math.log(p[token]!)) < 1e-6);
      assert.ok(Math.abs(entropy + p.reduce((s, x) => s + x * Math.log(x), 0)) < 1e-6);
    }
  });
});
