import assert from 'node:assert/strict';
import { setTimeout as rest } from 'node:timers/promises';
import { release } from '../../src/tensor/release';

describe('memory of results that is given back', () => {
  it('is gone at once, without a collection of garbage, also long after the first time', async () => {
    const megabytes = 64;
    const tensors = () => [0, 1].map(() => ({ dims: [megabytes << 17], data: new Float32Array(megabytes << 17) }));
    for (let i = 0; i < 3; i++) {
      const given = tensors();
      const before = process.memoryUsage().arrayBuffers;
      release(given);
      const freed = before - process.memoryUsage().arrayBuffers;
      assert.ok(freed >= megabytes * 2 ** 20, `${freed} bytes`);
      assert.deepEqual(
        given.map(({ data }) => data.length),
        [0, 0],
      );
      await rest(1);
    }
  });

  it('may lie in one piece of memory', () => {
    const data = new Float32Array(8);
    release([data.subarray(0, 4), data.subarray(4)].map(part => ({ dims: [4], data: part })));
    assert.equal(data.length, 0);
  });
});
