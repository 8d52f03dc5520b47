import type { Curriculum } from '../config/schema';
import { loadModelConfig } from '../model/config';
import { initialWeights } from '../model/initialize';
import { hasWeights, loadWeights, type Weights } from '../model/weights';

/** The model that a run begins from. */
export async function baseWeights({ model }: Pick<Curriculum, 'model'>): Promise<Weights> {
  const config = await loadModelConfig(model.path);
  return model.init !== undefined && !(await hasWeights(model.path))
    ? initialWeights(config, model.init)
    : loadWeights(model.path, config);
}
