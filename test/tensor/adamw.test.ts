import assert from 'node:assert/strict';
import { type AdamWOptions, adamW, newAdamWState } from '../../src/tensor/adamw';
import type { FloatTensor } from '../../src/tensor/session';

const tensors = (values: Readonly<Record<string, readonly number[]>>): Map<string, FloatTensor> =>
  new Map(Object.entries(values).map(([k, v]) => [k, { dims: [v.length], data: Float32Array.from(v) }]));

describe('parameter groups', () => {
  const options: AdamWOptions = { learningRate: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.5 };
  const start = { 'a.weight': [1, -2], 'a.bias': [3], 'b.weight': [0.5] };
  const grads = { 'a.weight': [0.3, 0.1], 'a.bias': [-1], 'b.weight': [2] };

  it('have their own learning rate, and decay or not', () => {
    const together = tensors(start);
    adamW(together, tensors(grads), newAdamWState(), {
      ...options,
      groupOf: name =>
        name.endsWith('bias')
          ? { learningRateRatio: 1, decays: false }
          : name.startsWith('b.')
            ? { learningRateRatio: 0.25, decays: true }
            : undefined,
    });
    // the same as an optimiser for each
    const apart = tensors(start);
    const one = (name: keyof typeof grads, o: AdamWOptions): boolean =>
      adamW(apart, tensors({ [name]: grads[name] }), newAdamWState(), o);
    one('a.weight', options);
    one('a.bias', { ...options, weightDecay: 0 });
    one('b.weight', { ...options, learningRate: 0.025 });
    assert.deepEqual(together, apart);
  });

  it('says whether what it made is finite', () => {
    const step = (parameter: number, gradient: number, learningRate: number): boolean =>
      adamW(
        new Map([['a', { dims: [2], data: Float32Array.of(1, parameter) }]]),
        new Map([['a', { dims: [2], data: Float32Array.of(1, gradient) }]]),
        newAdamWState(),
        { ...options, learningRate },
      );
    assert.equal(step(1, 1, 0.1), true);
    assert.equal(step(3e38, -1, 3e38), false, 'a parameter that overflows in 32 bits');
    assert.equal(step(1, 3e38, 0.1), false, 'a moment that does');
    assert.equal(step(1, Number.NaN, 0.1), false);
  });
});
