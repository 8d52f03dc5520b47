import assert from 'node:assert/strict';
import { cardInWords, readCards } from '../../src/tensor/graphics-cards';

describe("what NVIDIA's driver says of its cards", () => {
  it('is read, also where a card does not measure its load', () => {
    const cards = readCards('1024, 143771, 37, NVIDIA H200\n512, 8192, [N/A], NVIDIA RTX, laptop\n');
    assert.deepEqual(cards, [
      { name: 'NVIDIA H200', usedMiB: 1024, totalMiB: 143771, busy: 0.37 },
      { name: 'NVIDIA RTX, laptop', usedMiB: 512, totalMiB: 8192, busy: 0 },
    ]);
    assert.equal(cardInWords(cards[0]!), 'NVIDIA H200, 1.0 of 140.4 GiB in use, 37% busy');
  });

  it('is nothing where it fails', () => {
    assert.deepEqual(readCards('NVIDIA-SMI has failed because it could not communicate with the driver.\n'), []);
  });
});
