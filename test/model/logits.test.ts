import assert from 'node:assert/strict';
import path from 'node:path';
import { Model } from '../../src/model/model';
import type { FloatTensor } from '../../src/tensor/tensor';
import { promptLogits } from './logits';
import { greatestDifference, readPrompts, readTensors, referenceModels } from './reference';

describe('logits', () => {
  it('are those of transformers: text, one image, two images, both layouts, all shapes', async function () {
    this.timeout(120_000);
    const models = await referenceModels();
    assert.ok(models.length >= 2);
    for (const folder of models) {
      const model = await Model.load(folder, { device: 'cpu', threads: 2 });
      const expected = await readTensors(folder, 'logits.safetensors');
      for (const [name, prompt] of await readPrompts(folder)) {
        const logits = await promptLogits(model, prompt);
        const difference = greatestDifference(logits, (expected.get(name) as FloatTensor).data);
        assert.ok(difference < 1e-4, `${path.basename(folder)}, ${name}: ${difference}`);
      }
      await model.dispose();
    }
  });
});
