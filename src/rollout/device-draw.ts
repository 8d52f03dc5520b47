// Whole completions, drawn on the device: a step sends tokens, uniform numbers and positions there, and takes tokens and
// their figures back. Keys and values of prompts and completions never leave it. The same tokens as of Generation from the
// same random streams, but for rounding.

import { blocksOf, deviceDecodeGraph, drawnColumns } from '../model/device-decode';
import { prefillGraph } from '../model/graphs';
import type { Model } from '../model/model';
import type { EncodedPrompt } from '../model/sequence-inputs';
import type { Random } from '../protocol/random';
import type { DeviceTensor } from '../tensor/device-tensor';
import { upload } from '../tensor/residence';
import type { FloatTensor, Tensor } from '../tensor/session';
import type { GenerationOptions, Sample } from './generation';
import { AlternativesList } from './kept-alternatives';
import { type Alternative, draw } from './sampling';
import { warp, warps } from './warping';

/** Candidates of top-k that are looked for on the device: each is a pass over the vocabulary. */
const MOST_CANDIDATES = 64;

/**
 * A penalty, and top-p and min-p without top-k, need the whole vocabulary, and are drawn by Generation from its logits. With
 * top-k the candidates are found on the device, and the host draws among these: tokens as likely as the last of them, which
 * transformers keeps too, are left out.
 */
export const drawsOnDevice = (model: Model, options: GenerationOptions): boolean =>
  model.resident && (!warps(options) || candidatesOf(options) > 0);

/** How many tokens the host draws among; 0: the device draws. */
function candidatesOf({ topK = 0, repetitionPenalty = 1, temperature, logProbs = 'plain' }: GenerationOptions): number {
  const asked = temperature > 0 && repetitionPenalty === 1 && logProbs === 'plain';
  return asked && topK <= MOST_CANDIDATES ? topK : 0;
}

interface Drawing {
  readonly tokenIds: number[];
  readonly logProbs: number[];
  readonly entropy: number[];
  readonly alternatives: AlternativesList;
  readonly forced: number[];
  stop?: Sample['stop'];
}

/** @param random one stream a completion, by prompt and sample @returns completions by prompt and sample */
export async function drawOnDevice(
  model: Model,
  prompts: readonly EncodedPrompt[],
  options: GenerationOptions,
  random: readonly Random[],
): Promise<readonly (readonly Sample[])[]> {
  const { samples, temperature, keptAlternatives = 0, prefix = [] } = options;
  const greedy = temperature === 0;
  const candidates = Math.min(candidatesOf(options), model.config.text.vocabSize);
  const told = Math.max(keptAlternatives, candidates);
  const session = await model.session(
    `decode on the device ${greedy} ${told}`,
    () => deviceDecodeGraph(model.config, { greedy, alternatives: told }),
    output => output !== 'drawn',
  );
  const all = random.map(
    (): Drawing => ({ tokenIds: [], logProbs: [], entropy: [], alternatives: new AlternativesList(), forced: [] }),
  );
  const length = model.inputs.promptLength(prompts);
  const column = (data: Float32Array): FloatTensor => ({ dims: [all.length, 1], data });
  const blocks = blocksOf(model.config.text.vocabSize).count;
  const fixed = new Map<string, Tensor>([
    ['inverse_temperature', { dims: [], data: Float32Array.of(greedy ? 1 : 1 / temperature) }],
    ['first_blocks', { dims: [all.length], data: Int32Array.from(all, (_, row) => row * blocks) }],
  ]);
  const keys = await prefill(model, prompts);
  let own = await emptyCache(model, prompts.length, samples);
  try {
    for (let index = 0; all.some(c => c.stop === undefined); index++) {
      const ids = Int32Array.from(
        all,
        (c, i) => c.tokenIds.at(-1) ?? prompts[Math.floor(i / samples)]?.tokenIds.at(-1) ?? 0,
      );
      const uniform = Float32Array.from(all, (c, i) =>
        greedy || c.stop !== undefined ? 0 : (random[i] as Random).uniform(),
      );
      const forced = new Float32Array(all.length).fill(prefix[index] ?? -1);
      const step = model.inputs.decode(prompts, samples, index, index + 1, ids, length);
      step.set('uniform', column(uniform)).set('forced', column(forced));
      const out = await session.runKeeping(step, fixed, keys, own, await model.placed());
      for (const old of own.values()) old.dispose();
      own = new Map([...out.kept].map(([name, tensor]) => [name.replace('next_', 'own_'), tensor]));
      take(all, out.here.get('drawn') as FloatTensor, index, options, { told, candidates, uniform });
    }
  } finally {
    for (const tensor of [...keys.values(), ...own.values()]) tensor.dispose();
  }
  return prompts.map((_, b) => all.slice(b * samples, (b + 1) * samples).map(c => finished(c, keptAlternatives)));
}

/** Keys and values of prompts, each once, left on the device. */
async function prefill(model: Model, prompts: readonly EncodedPrompt[]): Promise<Map<string, DeviceTensor>> {
  const pictures = prompts.flatMap(p => p.images);
  const feeds = new Map(model.inputs.prefill(prompts));
  if (pictures.length > 0) feeds.set('image_features', await model.imageFeatures(pictures));
  const session = await model.session(
    `prefill on the device ${pictures.length > 0}`,
    () => prefillGraph(model.config, pictures.length > 0),
    () => true,
  );
  return (await session.runKeeping(feeds, await model.placed())).kept;
}

/** Room for one token that is never seen: the device has no empty buffers. */
async function emptyCache({ config }: Model, batch: number, group: number): Promise<Map<string, DeviceTensor>> {
  const { layers, kvHeads, headDim } = config.text;
  const dims = [batch, group, kvHeads, 1, headDim];
  const data = new Float32Array(dims.reduce((n, d) => n * d, 1));
  const cache = new Map<string, DeviceTensor>();
  for (let i = 0; i < layers; i++)
    for (const part of ['k', 'v']) cache.set(`own_${part}.${i}`, await upload({ dims, data }));
  return cache;
}

interface Told {
  /** The most likely tokens of a row. */
  readonly told: number;
  /** Of these, those that are drawn among; 0: the device has drawn. */
  readonly candidates: number;
  readonly uniform: Float32Array;
}

function take(
  all: readonly Drawing[],
  { data, dims }: FloatTensor,
  index: number,
  options: GenerationOptions,
  { told, candidates, uniform }: Told,
): void {
  const { keptAlternatives: kept = 0, prefix = [], stopIds, stop, maxTokens } = options;
  const width = dims[1] as number;
  all.forEach((c, row) => {
    if (c.stop !== undefined) return;
    const at = row * width + drawnColumns.length;
    const likely = Array.from({ length: told }, (_, k) => ({
      token: data[at + k] as number,
      logProb: data[at + told + k] as number,
    }));
    const [own, ownLogProb, entropy] = data.subarray(row * width) as unknown as [number, number, number];
    const { token, logProb } =
      candidates > 0 && index >= prefix.length
        ? among(likely.slice(0, candidates), options, uniform[row] as number)
        : { token: own, logProb: ownLogProb };
    c.tokenIds.push(token);
    c.logProbs.push(logProb);
    c.entropy.push(entropy);
    if (kept > 0) c.alternatives.add(likely.slice(0, kept));
    if (index < prefix.length) c.forced.push(index);
    if (stopIds.includes(token)) c.stop = 'token';
    else if (stop?.endIn(c.tokenIds)) c.stop = 'text';
    else if (c.tokenIds.length >= maxTokens) c.stop = 'length';
  });
}

/** One of the k most likely tokens, by top-p and min-p among them; in the order of their ids, as Generation draws. */
function among(
  likely: readonly Alternative[],
  { topP = 1, minP = 0 }: GenerationOptions,
  uniform: number,
): Alternative {
  const byId = [...likely].sort((a, b) => a.token - b.token);
  const scores = warp(
    Float32Array.from(byId, ({ logProb }) => logProb),
    [],
    { temperature: 1, topP, minP },
  );
  return byId[draw(scores, 0, scores.length, 1, uniform).token] as Alternative;
}

const finished = (
  { tokenIds, logProbs, entropy, alternatives, forced, stop = 'length' }: Drawing,
  kept: number,
): Sample => ({
  tokenIds,
  logProbs,
  entropy,
  ...(kept > 0 ? { alternatives: alternatives.kept } : {}),
  forced,
  stop,
});
