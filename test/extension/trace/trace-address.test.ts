import assert from 'node:assert/strict';
import { addressName, readAddressName } from '../../../src/extension/trace/trace-address';

describe('the address of a trace', () => {
  it('names the rollout that it is read as', () => {
    const ref = { step: 120, group: 0, sample: 7 };
    assert.deepEqual(readAddressName(addressName(ref)), ref);
  });

  it('is nothing else', () => {
    for (const name of ['', 'run.json', 'step 1, 0', 'step 1, 0-', 'step -1, 0-0', 'step 1e3, 0-0', 'step 1, 0-0.yaml'])
      assert.equal(readAddressName(name), undefined, name);
  });
});
