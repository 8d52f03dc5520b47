// Adapters beside frozen parameters of every precision, in one graph and layer by layer, on the device as on the CPU.
// TRIPHASE_WEBGPU says that there is one; a software driver will do.

import assert from 'node:assert/strict';
import { initialAdapter, type ModelForm, targetModules } from '../../src/model/adapter';
import { loadModel } from '../../src/model/load';
import { Model } from '../../src/model/model';
import type { Precision } from '../../src/model/precision';
import { TriphaseError } from '../../src/protocol/errors';
import { Random } from '../../src/protocol/random';
import { drawGroups } from '../../src/rollout/groups';
import { newAdamWState } from '../../src/tensor/adamw';
import { checkHalves, type Device } from '../../src/tensor/session';
import type { TrainedGroup } from '../../src/train/gradient';
import { type StepOptions, trainStep } from '../../src/train/step';
import { greatestDifference, readPrompts } from './reference';
import { referenceModel } from './reference-model';

const folder = referenceModel('tied');

const options: StepOptions = {
  objective: { kind: 'grpo', epsilon: 0.2, epsilonHigh: 0.3, beta: 0, onPolicy: true },
  temperature: 0.8,
  optimizer: { learningRate: 2e-3, betas: [0.9, 0.99], eps: 1e-6, weightDecay: 0.1 },
  maxGradNorm: 0.5,
  microBatch: 1,
  frozen: new Set(['vision']),
  path: [3, 'dropout'],
};

async function adapted(device: Device, precision: Precision, layerwise: boolean): Promise<Model> {
  const { form, weights, frozen } = await loadModel(folder, precision);
  const modules = targetModules(form, { targets: ['q_proj', 'v_proj', 'down_proj'], vision: false });
  const adapter = { rank: 3, alpha: 6, dropout: 0.1, rslora: false, vision: false, modules, base: folder };
  const whole: ModelForm = { ...form, adapter };
  for (const [name, tensor] of initialAdapter(whole, 5)) weights.set(name, tensor);
  const held = frozen === undefined ? {} : { frozen };
  return new Model(whole, weights, { device, threads: 2, visionFrozen: true, layerwise, ...held });
}

async function trained(device: Device, precision: Precision, layerwise: boolean) {
  const model = await adapted(device, precision, layerwise);
  const prompts = await readPrompts(folder);
  const groups = ['text', 'two'].map((name): TrainedGroup => {
    const completions = [
      [5, 6, 5, 5],
      [9, 9],
    ].map((tokenIds, i) => ({ tokenIds, advantage: i - 0.4, weights: tokenIds.map(() => 1 / 12) }));
    return { prompt: prompts.get(name)!, completions };
  });
  const state = newAdamWState();
  const steps = [];
  for (let i = 0; i < 3; i++) steps.push(await trainStep(model, state, groups, options));
  const all = [prompts.get('text')!, prompts.get('one')!];
  const random = all.flatMap((_, b) => [0, 1].map(i => new Random(7, b, i)));
  const drawing = { samples: 2, maxTokens: 4, stopIds: [17], temperature: 0.9 };
  const samples = (await drawGroups(model, all, drawing, random)).flat();
  const weights = new Map([...(await model.onHost())].map(([name, { data }]) => [name, data.slice()]));
  await model.dispose();
  return { steps, samples, weights, names: [...model.weights.keys()].filter(name => name.includes('lora_')) };
}

describe('adapters on WebGPU', function () {
  this.timeout(300_000);

  before(function () {
    if (process.env['TRIPHASE_WEBGPU'] !== '1') this.skip();
  });

  for (const layerwise of [false, true])
    it(`learn and draw as on the CPU${layerwise ? ', layer by layer' : ''}`, () => compare('f32', layerwise));

  for (const precision of ['f16', 'int8', 'int4'] as const)
    for (const layerwise of [false, true])
      it(`do so beside ${precision}${layerwise ? ', layer by layer' : ''}, or say that the device has no float16`, async () => {
        const halves = await checkHalves('webgpu').catch((error: unknown) => error);
        if (halves === undefined) return compare(precision, layerwise);
        for (const refused of [
          halves,
          await trained('webgpu', precision, layerwise).catch((error: unknown) => error),
        ]) {
          assert.ok(refused instanceof TriphaseError && refused.code === 'device', String(refused));
          assert.match(refused.message, /webgpu has no float16/);
          assert.match(refused.remedy!, /model\.precision: f32/);
        }
      });
});

async function compare(precision: Precision, layerwise: boolean): Promise<void> {
  const there = await trained('webgpu', precision, layerwise);
  const here = await trained('cpu', precision, layerwise);
  for (const [i, { loss, gradNorm }] of here.steps.entries()) {
    const other = there.steps[i]!;
    assert.ok(Math.abs(other.loss - loss) < 1e-5 * Math.max(1, Math.abs(loss)), `loss ${i}`);
    assert.ok(Math.abs(other.gradNorm - gradNorm) < 1e-4 * gradNorm, `norm ${i}: ${other.gradNorm}, ${gradNorm}`);
  }
  assert.ok(here.names.length > 0);
  for (const name of here.names) {
    const difference = greatestDifference(there.weights.get(name)!, here.weights.get(name)!);
    // a parameter moves by up to 0.006 in three updates
    assert.ok(difference < 1e-4, `${name}: ${difference}`);
  }
  assert.deepEqual(
    there.samples.map(s => s.tokenIds),
    here.samples.map(s => s.tokenIds),
  );
}
