import assert from 'node:assert/strict';
import { Random } from '../../src/protocol/random';
import { Places, roomFor } from '../../src/rollout/places';

interface Written {
  /** Rows that were computed, over all steps. */
  readonly rows: number;
  readonly steps: number;
  readonly moves: number;
}

/** Writes completions of these lengths, by prompt and sample, and looks whether each is written once, in rows of its prompt. */
function write(lengths: readonly (readonly number[])[], group: number, share: number): Written {
  const samples = lengths[0]!.length;
  const places = new Places(lengths.length, samples, group);
  const { batch } = places;
  const left = lengths.flat();
  const ended = (completion: number): boolean => left[completion] === 0;
  let [rows, steps, moves] = [0, 0, 0];
  let writing = new Set<number>();
  while (left.some(n => n > 0)) {
    places.fill(ended);
    const moved = places.moved(ended, share, 1);
    if (moved !== undefined) {
      moves++;
      assert.equal(moved.rows.length, moved.prompts.length * moved.group);
      batch.keep(moved);
      places.fill(ended);
    }
    assert.equal(batch.completions.length, batch.prompts.length * batch.group);
    const going = batch.completions.filter(c => !ended(c));
    const before = writing;
    writing = new Set(going);
    assert.equal(writing.size, going.length, 'a completion has one row');
    for (const c of before) assert.ok(ended(c) || writing.has(c), 'what has begun goes on');
    batch.completions.forEach((c, row) => {
      if (!ended(c)) assert.equal(batch.prompts[Math.floor(row / batch.group)], Math.floor(c / samples));
    });
    for (const c of going) left[c]!--;
    rows += batch.completions.length;
    steps++;
  }
  return { rows, steps, moves };
}

describe('rows of a batch on a device', () => {
  const random = new Random(3, 'lengths');
  const lengths = Array.from({ length: 4 }, () =>
    Array.from({ length: 8 }, () => 1 + Math.floor(40 * random.uniform())),
  );
  const needed = lengths.flat().reduce((a, b) => a + b);

  it('go to completions that wait as others end', () => {
    const { steps, rows } = write(lengths, 2, 0);
    // batches of eight one after the other, each as long as its longest completion
    const inTurn = lengths.reduce((n, group) => n + Math.max(...group), 0);
    assert.ok(steps < inTurn, `${steps} steps, ${inTurn} in turn`);
    assert.ok(rows < 1.25 * needed, `${rows} rows for ${needed} tokens`);
  });

  it('go to another prompt where nobody of their own waits', () => {
    const uneven = [
      Array<number>(8).fill(20),
      Array<number>(8).fill(1),
      Array<number>(8).fill(1),
      Array<number>(8).fill(1),
    ];
    const { steps, moves } = write(uneven, 2, 0);
    assert.ok(moves > 0);
    // two rows would write the first prompt's alone in 80
    assert.ok(steps <= 45, String(steps));
  });

  it('go away where nobody waits, once enough of them can', () => {
    const whole = write(lengths, 8, 0);
    const smaller = write(lengths, 8, 0.25);
    assert.equal(whole.rows, 32 * Math.max(...lengths.flat()));
    assert.equal(smaller.steps, whole.steps);
    assert.ok(smaller.rows < 0.8 * whole.rows, `${smaller.rows} of ${whole.rows}`);
  });

  it('are shared out so that all prompts have two, or one prompt has all', () => {
    assert.deepEqual(roomFor(64, 8, 8), { places: 8, group: 8 });
    assert.deepEqual(roomFor(32, 8, 8), { places: 8, group: 4 });
    assert.deepEqual(roomFor(16, 8, 8), { places: 8, group: 2 });
    assert.deepEqual(roomFor(12, 8, 8), { places: 6, group: 2 });
    assert.deepEqual(roomFor(8, 8, 8), { places: 1, group: 8 });
    assert.deepEqual(roomFor(4, 4, 1), { places: 4, group: 1 });
    assert.deepEqual(roomFor(3, 4, 1), { places: 3, group: 1 });
  });
});
