// Curves of long runs are drawn in points that stand for several steps: bounded, and still the means of what was logged.

import assert from 'node:assert/strict';
import type { RunEvent } from '../../src/protocol/run';
import { GrowingCurves } from '../../src/query/folder/curves';

describe('curves of a run', () => {
  let n = 0;
  const head = () => ({ n: ++n, time: new Date(0).toISOString(), attempt: 1 });
  const step = (at: number): RunEvent => ({
    ...head(),
    kind: 'step',
    phase: at <= 3000 ? 'text' : 'image',
    phaseStep: at,
    step: at,
    // one is there at each step, one at every third, one in the first steps alone
    metrics: { reward: (at * 7) % 11, ...(at % 3 === 0 ? { kl: at } : {}), ...(at <= 5 ? { early: at } : {}) },
    timings: { total: at },
    ...(at % 2 === 0 ? { untaught: 'all right' } : {}),
  });
  const drawn = (steps: number) => {
    const curves = new GrowingCurves();
    for (let at = 1; at <= steps; at++) curves.take(step(at));
    return curves.shown('run');
  };
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : values.reduce((a, b) => a + b) / values.length;

  it('have a point for each step up to two thousand', () => {
    const { steps, every, metrics } = drawn(2000);
    assert.equal(every, undefined);
    assert.deepEqual([steps.length, steps[0], steps.at(-1)], [2000, 1, 2000]);
    assert.equal(metrics['reward']?.[10], (11 * 7) % 11);
  });

  for (const [count, of] of [
    [2001, 2],
    [4000, 2],
    [4001, 4],
    [10_007, 8],
    [100_000, 64],
  ] as const)
    it(`of ${count} steps have points of ${of}, each the mean of what its steps logged`, () => {
      const { steps, every, metrics, phase } = drawn(count);
      assert.equal(every, of);
      assert.equal(steps.length, Math.ceil(count / of));
      assert.ok(steps.length <= 2000);
      assert.equal(steps.at(-1), count);
      for (const [i, last] of steps.entries()) {
        const first = i === 0 ? 1 : (steps[i - 1] as number) + 1;
        const own = Array.from({ length: last - first + 1 }, (_, k) => first + k);
        if (i < steps.length - 1) assert.equal(own.length, of);
        const near = (name: string, expected: number | null) => {
          const value = metrics[name]?.[i] ?? null;
          if (expected === null || value === null) assert.equal(value, expected, `${name} at ${last}`);
          else assert.ok(Math.abs(value - expected) < 1e-9 * Math.max(1, expected), `${name} at ${last}`);
        };
        near('reward', mean(own.map(at => (at * 7) % 11)));
        near('kl', mean(own.filter(at => at % 3 === 0)));
        near('early', mean(own.filter(at => at <= 5)));
        near('seconds/total', mean(own));
        assert.equal(phase[i], last <= 3000 ? 'text' : 'image');
      }
    });

  it('list the latest of what is told step by step, and no more', () => {
    assert.equal(drawn(3000).untaught.length, 200);
    assert.equal(drawn(3000).untaught.at(-1)?.step, 3000);
    const curves = new GrowingCurves();
    for (let i = 0; i < 300; i++) curves.take({ ...head(), kind: 'warning', message: `${i}` });
    const { warnings } = curves.shown('run');
    assert.deepEqual([warnings.length, warnings[0]?.message, warnings.at(-1)?.message], [200, '100', '299']);
  });
});
