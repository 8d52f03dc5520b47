// A model folder read: a whole model, or an adapter with the base that it names.

import type { HalfTensor } from '../tensor/session';
import type { ModelForm } from './adapter';
import { baseFolder, holdsAdapter, readAdapter } from './adapter-files';
import { loadModelConfig } from './config';
import { loadHeldWeights, loadWeights, parameterShapes, readScore, SCORE, type Weights } from './weights';

export interface LoadedModel {
  readonly form: ModelForm;
  readonly weights: Weights;
}

export async function loadModel(folder: string): Promise<LoadedModel> {
  if (!holdsAdapter(folder)) {
    const form = await loadModelConfig(folder);
    return { form, weights: await loadWeights(folder, form) };
  }
  const base = await baseFolder(folder);
  const config = await loadModelConfig(base);
  return withAdapter({ form: config, weights: await loadWeights(base, config) }, folder, base);
}

/** The same with the matrices of the model as float16, apart from the parameters that are float32. */
export async function loadFrozenModel(
  folder: string,
): Promise<LoadedModel & { readonly halves: ReadonlyMap<string, HalfTensor> }> {
  const base = holdsAdapter(folder) ? await baseFolder(folder) : folder;
  const config = await loadModelConfig(base);
  const shapes = parameterShapes(config);
  const held = await loadHeldWeights(base, config, name =>
    (shapes.get(name)?.length ?? 0) > 1 ? 'float16' : 'float32',
  );
  const weights: Weights = new Map();
  const halves = new Map<string, HalfTensor>();
  for (const [name, { dims, data }] of held)
    if (data instanceof Float32Array) weights.set(name, { dims, data });
    else halves.set(name, { dims, data });
  const loaded =
    base === folder ? { form: config, weights } : await withAdapter({ form: config, weights }, folder, base);
  return { ...loaded, halves };
}

/** The base with the adapter in a folder; its parameters are not copied. @param base the folder of the base */
export async function withAdapter({ form, weights }: LoadedModel, folder: string, base: string): Promise<LoadedModel> {
  const read = await readAdapter(folder, form, base);
  const score = await readScore(folder, form);
  const all: Weights = new Map([...weights, ...read.weights]);
  if (score !== undefined) all.set(SCORE, score);
  return { form: { ...form, adapter: read.adapter }, weights: all };
}
