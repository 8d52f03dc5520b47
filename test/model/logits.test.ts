import assert from 'node:assert/strict';
import path from 'node:path';
import { prefillGraph } from '../../src/model/graphs';
import { Model } from '../../src/model/model';
import type { EncodedPrompt } from '../../src/model/sequence-inputs';
import type { FloatTensor } from '../../src/tensor/session';
import { greatestDifference, readPrompts, readTensors, referenceModels } from './reference';

/** Prefill leaves a prompt's last token to decoding, so one more is put behind the prompt. */
function padded({ tokenIds, images, positions }: EncodedPrompt): EncodedPrompt {
  const n = tokenIds.length;
  const axes = [0, 1, 2].flatMap(a => [...positions.subarray(a * n, (a + 1) * n), 0]);
  return { tokenIds: [...tokenIds, 0], images, positions: Int32Array.from(axes) };
}

describe('logits', () => {
  it('are those of transformers: text, one image, two images, both layouts, all shapes', async function () {
    this.timeout(120_000);
    const models = await referenceModels();
    assert.ok(models.length >= 2);
    for (const folder of models) {
      const model = await Model.load(folder, { device: 'cpu', threads: 2 });
      const expected = await readTensors(folder, 'logits.safetensors');
      for (const [name, prompt] of await readPrompts(folder)) {
        const images = prompt.images.length > 0;
        const session = await model.session(`prompt ${images}`, () => prefillGraph(model.config, images, true));
        const feeds = new Map(model.inputs.prefill([padded(prompt)]));
        if (images) feeds.set('image_features', await model.imageFeatures(prompt.images));
        const logits = (await session.run(feeds, model.weights)).get('logits') as FloatTensor;
        const difference = greatestDifference(logits.data, (expected.get(name) as FloatTensor).data);
        assert.ok(difference < 1e-4, `${path.basename(folder)}, ${name}: ${difference}`);
      }
      await model.dispose();
    }
  });
});
