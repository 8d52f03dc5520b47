// A model folder read: a whole model, or an adapter with the base that it names.

import type { ModelForm } from './adapter';
import { baseFolder, holdsAdapter, readAdapter } from './adapter-files';
import { loadModelConfig } from './config';
import { loadWeights, readScore, SCORE, type Weights } from './weights';

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

/** The base with the adapter in a folder; its parameters are not copied. @param base the folder of the base */
export async function withAdapter({ form, weights }: LoadedModel, folder: string, base: string): Promise<LoadedModel> {
  const read = await readAdapter(folder, form, base);
  const score = await readScore(folder, form);
  const all: Weights = new Map([...weights, ...read.weights]);
  if (score !== undefined) all.set(SCORE, score);
  return { form: { ...form, adapter: read.adapter }, weights: all };
}
