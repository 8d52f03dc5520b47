// Whole completions, drawn on the device: a step sends tokens, uniform numbers and positions there, and takes tokens and
// their figures back. Keys and values of prompts and completions never leave it. The same tokens as of Generation from the
// same random streams, but for rounding.

import { deviceDecodeGraph } from '../model/device-decode';
import { BARRED, blocksOf, type DeviceDraw, drawnColumns } from '../model/device-sampling';
import { prefillGraph } from '../model/graphs';
import type { Model } from '../model/model';
import type { EncodedPrompt } from '../model/sequence-inputs';
import type { Random } from '../protocol/random';
import type { DeviceTensor } from '../tensor/device-tensor';
import { upload } from '../tensor/residence';
import type { FloatTensor, Tensor } from '../tensor/session';
import type { GenerationOptions, Sample } from './generation';
import { AlternativesList } from './kept-alternatives';
import type { Alternative } from './sampling';

/** What the draw of the device is asked for. */
function drawOf(
  {
    temperature,
    topK = 0,
    topP = 1,
    minP = 0,
    repetitionPenalty = 1,
    logProbs,
    keptAlternatives = 0,
  }: GenerationOptions,
  vocabulary: number,
): DeviceDraw {
  const warped = temperature > 0;
  return {
    greedy: !warped,
    alternatives: Math.min(keptAlternatives, vocabulary),
    penalty: repetitionPenalty !== 1,
    topK: warped && topK > 0 && topK < vocabulary,
    topP: warped && topP < 1,
    minP: warped && minP > 0,
    warped: logProbs === 'warped',
  };
}

/** The inputs of a draw that are the same at every step; those that its graph does not take are left out there. */
function drawFeeds(
  { temperature, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 }: GenerationOptions,
  rows: number,
  vocabulary: number,
): Map<string, Tensor> {
  const { count } = blocksOf(vocabulary);
  const scalar = (x: number): FloatTensor => ({ dims: [], data: Float32Array.of(x) });
  return new Map<string, Tensor>([
    ['inverse_temperature', scalar(temperature === 0 ? 1 : 1 / temperature)],
    ['first_blocks', { dims: [rows], data: Int32Array.from({ length: rows }, (_, row) => row * count) }],
    ['penalty', scalar(repetitionPenalty)],
    ['top_k_leaves', scalar(vocabulary - topK)],
    ['top_p_leaves', scalar(1 - topP)],
    ['min_p', scalar(Math.log(minP))],
  ]);
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
  const { vocabSize } = model.config.text;
  const draw = drawOf(options, vocabSize);
  const session = await model.session(
    `decode on the device ${Object.values(draw)}`,
    () => deviceDecodeGraph(model.config, draw),
    output => output !== 'drawn',
  );
  const all = random.map(
    (): Drawing => ({ tokenIds: [], logProbs: [], entropy: [], alternatives: new AlternativesList(), forced: [] }),
  );
  const length = model.inputs.promptLength(prompts);
  const column = (data: Float32Array): FloatTensor => ({ dims: [all.length, 1], data });
  const fixed = drawFeeds(options, all.length, vocabSize);
  const keys = await prefill(model, prompts);
  if (draw.penalty === true) keys.set('seen_prompt', await upload(promptTokens(prompts, samples)));
  let own = await emptyCache(model, prompts.length, samples);
  try {
    for (let index = 0; all.some(c => c.stop === undefined); index++) {
      const ids = Int32Array.from(
        all,
        (c, i) => c.tokenIds.at(-1) ?? prompts[Math.floor(i / samples)]?.tokenIds.at(-1) ?? 0,
      );
      const uniform = Float32Array.from(all, (c, i) =>
        temperature === 0 || c.stop !== undefined ? 0 : (random[i] as Random).uniform(),
      );
      const forced = new Float32Array(all.length).fill(prefix[index] ?? -1);
      const step = model.inputs.decode(prompts, samples, index, index + 1, ids, length);
      step.set('uniform', column(uniform)).set('forced', column(forced));
      if (draw.penalty === true) step.set('seen', ownTokens(all, ids, index));
      const out = await session.runKeeping(step, fixed, keys, own, await model.placed());
      for (const old of own.values()) old.dispose();
      own = new Map([...out.kept].map(([name, tensor]) => [name.replace('next_', 'own_'), tensor]));
      take(all, out.here.get('drawn') as FloatTensor, index, options, draw.alternatives);
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

/** The tokens of each completion's prompt, those of shorter ones repeated. */
function promptTokens(prompts: readonly EncodedPrompt[], samples: number): Tensor {
  const width = Math.max(...prompts.map(p => p.tokenIds.length));
  const data = new Int32Array(prompts.length * samples * width);
  prompts.forEach(({ tokenIds }, b) => {
    for (let row = b * samples; row < (b + 1) * samples; row++)
      for (let i = 0; i < width; i++) data[row * width + i] = tokenIds[i % tokenIds.length] as number;
  });
  return { dims: [prompts.length * samples, width], data };
}

/** The tokens of each completion so far, its step's input before them: at first that is the last of its prompt. */
function ownTokens(all: readonly Drawing[], ids: Int32Array, index: number): Tensor {
  const width = index + 1;
  const data = new Int32Array(all.length * width);
  all.forEach(({ tokenIds }, row) => {
    data.fill(ids[row] as number, row * width, (row + 1) * width);
    data.set(tokenIds, row * width + width - tokenIds.length);
  });
  return { dims: [all.length, width], data };
}

/** @param told the most likely tokens of a row */
function take(
  all: readonly Drawing[],
  { data, dims }: FloatTensor,
  index: number,
  options: GenerationOptions,
  told: number,
): void {
  const { keptAlternatives: kept = 0, prefix = [], stopIds, stop, maxTokens } = options;
  const width = dims[1] as number;
  all.forEach((c, row) => {
    if (c.stop !== undefined) return;
    const [token, logProb, entropy] = data.subarray(row * width) as unknown as [number, number, number];
    c.tokenIds.push(token);
    c.logProbs.push(possible(logProb));
    c.entropy.push(entropy);
    if (kept > 0) c.alternatives.add(alternatives(data, row * width + drawnColumns.length, told));
    if (index < prefix.length) c.forced.push(index);
    if (stopIds.includes(token)) c.stop = 'token';
    else if (stop?.endIn(c.tokenIds)) c.stop = 'text';
    else if (c.tokenIds.length >= maxTokens) c.stop = 'length';
  });
}

/** The device has no infinity to tell that a forced token could not have been drawn. */
const possible = (logProb: number): number => (logProb < BARRED ? Number.NEGATIVE_INFINITY : logProb);

/** Tokens that may not be drawn are left out. */
function alternatives(data: Float32Array, at: number, told: number): Alternative[] {
  const all = Array.from({ length: told }, (_, k) => ({
    token: data[at + k] as number,
    logProb: data[at + told + k] as number,
  }));
  return all.filter(({ logProb }) => possible(logProb) === logProb);
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
