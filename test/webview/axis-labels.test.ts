import assert from 'node:assert/strict';
import { axisValues } from '../../webview/components/axis-labels';

const labels = (splits: readonly number[]): readonly string[] => axisValues({ unit: 'number' }, splits);

describe('the labels of an axis', () => {
  it('fit beside a chart however large the values are', () => {
    for (const size of [1e4, 1e6, 1e7, 1.5e9, 1e12, 1e-5, 1e-12])
      for (const label of labels([-1, 0, 1, 2].map(n => n * size))) assert.ok(label.length <= 7, label);
  });

  it('are told apart where the values are close', () => {
    assert.deepEqual(labels([9e-7, 9.5e-7, 1e-6, 1.05e-6]), ['9.00e-7', '9.50e-7', '1.00e-6', '1.05e-6']);
    assert.deepEqual(labels([-1e7, 0, 1e7]), ['−1e7', '0', '1e7']);
    assert.deepEqual(labels([0, 20_000]), ['0k', '20k']);
  });
});
