import assert from 'node:assert/strict';
import { sizeOf, sizesOf } from '../../src/tensor/sizes';

describe('the sizes of dimensions', () => {
  it('are those of symbols, their products and sums', () => {
    const sizes = sizesOf([
      [
        ['batch', 'time', 8],
        [4, 5, 8],
      ],
      [['batch*time'], [20]],
    ]);
    assert.deepEqual(
      [...sizes],
      [
        ['batch', 4],
        ['time', 5],
      ],
    );
    assert.equal(sizeOf('3+2*batch*time', sizes), 43);
    assert.equal(sizeOf(7, sizes), 7);
    assert.throws(() => sizeOf('batch', new Map()), /batch/);
  });
});
