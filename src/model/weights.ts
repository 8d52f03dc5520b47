// The parameters of a model folder, under the names that transformers uses in memory (model.language_model.*,
// model.visual.*, lm_head.weight). On disk a folder may carry those or the published ones (model.layers.*, visual.*);
// transformers writes the published ones whatever the layout of config.json, and so do we.

import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { TriphaseError } from '../protocol/errors';
import type { Tensor as AnyTensor, FloatTensor } from '../tensor/tensor';
import type { ModelConfig } from './config';
import { placesSideBySide } from './joined';
import { type Precision, scaleName, storedAs } from './precision';
import {
  type Entry,
  readSafetensors,
  readTensors,
  safetensorsEntries,
  type Tensor,
  writeSafetensors,
} from './safetensors';

export type Weights = Map<string, Tensor>;

/** Parameters as they are held: frozen ones may have fewer bytes, and scales beside them (precision.ts). */
export interface HeldWeights {
  readonly weights: Weights;
  readonly frozen: ReadonlyMap<string, AnyTensor>;
}

/** Name and dimensions of every parameter, in transformers' order. */
export function parameterShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { text, vision, tied } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, outputs: number, inputs: number, bias: boolean) => {
    shapes.set(`${name}.weight`, [outputs, inputs]);
    if (bias) shapes.set(`${name}.bias`, [outputs]);
  };

  const width = vision.hiddenSize;
  const { patchSize: patch, temporalPatchSize: frames, inChannels } = vision;
  shapes.set('model.visual.patch_embed.proj.weight', [width, inChannels, frames, patch, patch]);
  for (let i = 0; i < vision.depth; i++) {
    const block = `model.visual.blocks.${i}`;
    shapes.set(`${block}.norm1.weight`, [width]);
    shapes.set(`${block}.norm2.weight`, [width]);
    linear(`${block}.attn.qkv`, 3 * width, width, true);
    linear(`${block}.attn.proj`, width, width, true);
    linear(`${block}.mlp.gate_proj`, vision.intermediateSize, width, true);
    linear(`${block}.mlp.up_proj`, vision.intermediateSize, width, true);
    linear(`${block}.mlp.down_proj`, width, vision.intermediateSize, true);
  }
  const merged = width * vision.spatialMergeSize ** 2;
  shapes.set('model.visual.merger.ln_q.weight', [width]);
  linear('model.visual.merger.mlp.0', merged, merged, true);
  linear('model.visual.merger.mlp.2', vision.outHiddenSize, merged, true);

  const hidden = text.hiddenSize;
  shapes.set('model.language_model.embed_tokens.weight', [text.vocabSize, hidden]);
  for (let i = 0; i < text.layers; i++) {
    const layer = `model.language_model.layers.${i}`;
    linear(`${layer}.self_attn.q_proj`, text.heads * text.headDim, hidden, true);
    linear(`${layer}.self_attn.k_proj`, text.kvHeads * text.headDim, hidden, true);
    linear(`${layer}.self_attn.v_proj`, text.kvHeads * text.headDim, hidden, true);
    linear(`${layer}.self_attn.o_proj`, hidden, text.heads * text.headDim, false);
    linear(`${layer}.mlp.gate_proj`, text.intermediateSize, hidden, false);
    linear(`${layer}.mlp.up_proj`, text.intermediateSize, hidden, false);
    linear(`${layer}.mlp.down_proj`, hidden, text.intermediateSize, false);
    shapes.set(`${layer}.input_layernorm.weight`, [hidden]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hidden]);
  }
  shapes.set('model.language_model.norm.weight', [hidden]);
  if (!tied) shapes.set(head, [text.vocabSize, hidden]);
  return shapes;
}

/** The name in memory of a tensor on disk (transformers, conversion_mapping.py, Qwen2VLForConditionalGeneration). */
export function memoryName(disk: string): string {
  if (disk.startsWith('visual.')) return `model.${disk}`;
  return disk.replace(/^model\.(?!language_model\.|visual\.)/, 'model.language_model.');
}

/** The published name of a parameter. */
export function diskName(memory: string): string {
  return memory.replace(/^model\.visual\./, 'visual.').replace(/^model\.language_model\./, 'model.');
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The head of a scorer, as transformers' sequence classification has it: [1, hidden], without a bias. */
export const SCORE = 'score.weight';

/** True where the folder holds parameters, in one file or in several. */
export async function hasWeights(folder: string): Promise<boolean> {
  return (await exists(path.join(folder, indexName))) || (await exists(path.join(folder, fileName)));
}

const head = 'lm_head.weight';
const EMBEDDING = 'model.language_model.embed_tokens.weight';
const fileName = 'model.safetensors';
/** A file of its own: transformers reads the model without it, and would call it unexpected in the model's. */
const scoreFile = 'score.safetensors';
const indexName = 'model.safetensors.index.json';

/** Every parameter of the model as float32; errors name what is missing or has another shape. */
export const loadWeights = async (folder: string, config: ModelConfig): Promise<Weights> =>
  (await loadHeldWeights(folder, config, 'f32')).weights;

/** Every parameter, in so many bytes as its kind allows; as above. */
export async function loadHeldWeights(
  folder: string,
  config: ModelConfig,
  precision: Precision,
  halves = true,
): Promise<HeldWeights> {
  const shapes = parameterShapes(config);
  await checkShapes(folder, shapes);
  const as = (name: string): Precision =>
    storedAs(precision, name, shapes.get(name) ?? shapes.get(EMBEDDING) ?? [], halves);
  const place = placesSideBySide(config.text, shapes);
  const found = new Map<string, AnyTensor>();
  for (const file of await weightFiles(folder)) {
    const tensors = await readTensors(
      file,
      name => (shapes.has(memoryName(name)) || name === head ? as(memoryName(name)) : undefined),
      name => place(memoryName(name)),
    );
    for (const [name, tensor] of tensors) found.set(memoryName(name), tensor);
  }

  const own = config.tied ? found.get(head) : undefined;
  if (own !== undefined && !equal(own.data, (found.get(EMBEDDING) as AnyTensor).data))
    throw new TriphaseError(
      'model',
      'config.json ties the head to the embedding, but the folder has a lm_head.weight of its own.',
      'Set "tie_word_embeddings" to false in config.json, as transformers does by itself.',
      { file: folder },
    );
  // in the order of the shapes, whatever the order on disk
  const weights: Weights = new Map();
  const frozen = new Map<string, AnyTensor>();
  for (const name of shapes.keys()) {
    const tensor = found.get(name) as AnyTensor;
    if (tensor.data instanceof Float32Array) weights.set(name, tensor as FloatTensor);
    else frozen.set(name, tensor);
    const scales = found.get(scaleName(name));
    if (scales !== undefined) frozen.set(scaleName(name), scales);
  }
  const score = await readScore(folder, config);
  if (score !== undefined) weights.set(SCORE, score);
  return { weights, frozen };
}

/** The head of a scorer, where a folder has one. */
export async function readScore(folder: string, { text }: ModelConfig): Promise<Tensor | undefined> {
  const file = path.join(folder, scoreFile);
  if (!(await exists(file))) return undefined;
  const head = (await readSafetensors(file)).get(SCORE);
  if (head?.dims.join() !== `1,${text.hiddenSize}`)
    throw new TriphaseError('model', `${scoreFile} has no ${SCORE} of [1, ${text.hiddenSize}].`, undefined, { file });
  return head;
}

export const writeScore = (folder: string, score: Tensor): Promise<void> =>
  writeSafetensors(path.join(folder, scoreFile), [[SCORE, score]]);

/** What is in the files, from their headers alone: before gigabytes are read, it is known whether they are the right ones. */
async function checkShapes(folder: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<void> {
  const found = await storedParameters(folder);
  const missing = [...shapes.keys()].filter(name => !found.has(name));
  if (missing.length > 0)
    throw new TriphaseError(
      'model',
      `The model folder lacks ${missing.length} of ${shapes.size} tensors: ${several(missing.map(diskName))}.`,
      'Complete the folder, or correct config.json where it asks for more layers than there are.',
      { file: folder },
    );
  const wrong = [...shapes].flatMap(([name, dims]) => {
    const { dims: actual } = found.get(name) as Entry;
    return actual.join() === dims.join() ? [] : [`${diskName(name)} is [${actual}] and should be [${dims}]`];
  });
  if (wrong.length > 0)
    throw new TriphaseError(
      'model',
      `The shapes of ${wrong.length} tensors do not fit config.json: ${several(wrong)}.`,
      'Use the config.json that belongs to these weights.',
      { file: folder },
    );
}

/** Where each parameter lies, by its name in memory. @throws TriphaseError where a file is missing or broken */
export async function storedParameters(folder: string): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for (const file of await weightFiles(folder))
    for (const [name, entry] of await safetensorsEntries(file)) found.set(memoryName(name), entry);
  return found;
}

export async function weightFiles(folder: string): Promise<readonly string[]> {
  const index = path.join(folder, indexName);
  if (await exists(index)) {
    let json: unknown;
    try {
      json = JSON.parse(await readFile(index, 'utf8'));
    } catch {
      json = undefined;
    }
    const parsed = indexSchema.safeParse(json);
    if (!parsed.success)
      throw new TriphaseError('model', `${indexName} has no weight_map.`, 'Download the file again.', { file: index });
    const names = [...new Set(Object.values(parsed.data.weight_map))];
    const outside = names.find(name => path.basename(name) !== name || /^\.{0,2}$/.test(name));
    if (outside !== undefined)
      throw new TriphaseError(
        'model',
        `${indexName} names '${outside}', which is no file of the folder.`,
        'Download the file again.',
        { file: index },
      );
    return names.map(name => path.join(folder, name));
  }
  const single = path.join(folder, fileName);
  if (await exists(single)) return [single];
  throw new TriphaseError(
    'model',
    `There is neither ${fileName} nor ${indexName} in the model folder.`,
    'Download the weights as safetensors, or let the config start from random weights (model.init).',
    { file: folder },
  );
}

/**
 * Writes a folder that transformers loads: float32 weights, the source's config.json and its tokenizer, processor and
 * generation files. It is complete or not there: everything is written beside it and renamed into place.
 */
export async function saveModel(
  folder: string,
  config: ModelConfig,
  weights: Weights,
  sourceFolder: string,
): Promise<void> {
  await replaceFolder(folder, async writing => {
    await copyCompanions(sourceFolder, writing);
    await writeFile(path.join(writing, 'config.json'), `${JSON.stringify(asFloat32(config.raw), null, 2)}\n`);
    const names = [...parameterShapes(config).keys()];
    await writeSafetensors(
      path.join(writing, fileName),
      names.map(name => {
        const tensor = weights.get(name);
        if (tensor === undefined) throw new Error(`no parameter ${name} to save`);
        return [diskName(name), tensor] as const;
      }),
    );
    const score = weights.get(SCORE);
    if (score !== undefined) await writeScore(writing, score);
  });
}

/** A folder filled beside the place that it is renamed to: it is complete there, or as it was. */
export async function replaceFolder(folder: string, fill: (writing: string) => Promise<void>): Promise<void> {
  const writing = `${folder}.writing-${process.pid}`;
  await rm(writing, { recursive: true, force: true });
  // not its parents: a folder that was taken away is not made again in its old place
  await mkdir(writing);
  await fill(writing);
  if (await exists(folder)) {
    const replaced = `${folder}.replaced-${process.pid}`;
    await rename(folder, replaced);
    await rename(writing, folder);
    await rm(replaced, { recursive: true, force: true });
  } else {
    await rename(writing, folder);
  }
}

/** Copies the files of a model folder that go with the model wherever it is saved. */
export async function copyCompanions(from: string, into: string): Promise<void> {
  for (const name of await readdir(from))
    if (isCompanion(name)) await copyFile(path.join(from, name), path.join(into, name));
}

const isCompanion = (name: string): boolean => companions.has(name) || /^(licen[cs]e|notice)/i.test(name);

/** Files that belong to a model beside its weights: tokenizer, chat template, processors, generation settings. */
const companions = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
  'preprocessor_config.json',
  'processor_config.json',
  'video_preprocessor_config.json',
  'generation_config.json',
]);

/** transformers casts weights to the type that config.json names; what we write is float32. */
function asFloat32(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asFloat32);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      (key === 'dtype' || key === 'torch_dtype') && typeof inner === 'string'
        ? [key, 'float32']
        : [key, asFloat32(inner)],
    ),
  );
}

function equal(a: AnyTensor['data'], b: AnyTensor['data']): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** At most eight of them, and how many more there are. */
export function several(items: readonly string[]): string {
  return items.length <= 8 ? items.join(', ') : `${items.slice(0, 8).join(', ')} and ${items.length - 8} more`;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
