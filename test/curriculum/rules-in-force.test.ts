// Rules that change between two steps of a real run of a tiny model.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type NumberedRules, rulesOf } from '../../src/config/run-rules';
import type { ChangingRules } from '../../src/curriculum/job';
import { readRollouts } from '../../src/run/rollouts';
import { stepsOf } from './run-job';
import { SmallRuns } from './small-run';

/** So that its completions still differ when the rules change. */
const SLOW = ['optimizer.learning_rate=1e-5'];

describe('rules in force', function () {
  this.timeout(120_000);
  let runs: SmallRuns;
  before(async () => {
    runs = await SmallRuns.make();
  });
  after(() => runs.remove());

  /** Format for the first two steps; from the third on a vowel pays. */
  const changing = (): ChangingRules => {
    const numbered = (version: number, sets: readonly string[]): NumberedRules => ({
      version,
      hash: String(version),
      ...rulesOf(runs.config(sets)),
    });
    const second = ['rewards.format.weight=0', 'rewards.rules.vowel={kind: match, pattern: "[aeiou]", weight: 2}'];
    return { atStart: numbered(1, []), from: step => (step === 3 ? numbered(2, second) : undefined) };
  };
  const weights = (folder: string, checkpoint: string) =>
    readFileSync(path.join(folder, 'checkpoints', checkpoint, 'model.safetensors'));

  it('score every step from theirs on, in the rollouts too', async () => {
    const run = await runs.run('changed', SLOW, { rules: changing() });
    assert.deepEqual(
      stepsOf(run).map(({ rulesVersion }) => rulesVersion),
      [1, 1, 2, 2],
    );
    for (const { rollouts, step } of stepsOf(run))
      for (const row of await readRollouts(run.folder, rollouts ?? '')) {
        assert.equal(row.rules_version, step < 3 ? 1 : 2);
        const { format = 0, accuracy = 0, vowel = null } = row.scores;
        assert.equal(
          row.reward,
          step < 3 ? Number(format) + 0.5 * Number(accuracy) : 0.5 * Number(accuracy) + 2 * Number(vowel),
        );
        assert.equal(vowel === null, step < 3);
      }
  });

  it('end bit for bit as the unbroken run when it is resumed before, at and after the change', async () => {
    const whole = await runs.run('whole', SLOW, { rules: changing() });
    const end = weights(whole.folder, 'text-000004');
    const unchanged = await runs.run('unchanged', SLOW);
    assert.ok(!weights(unchanged.folder, 'text-000004').equals(end), 'the change is felt');
    for (const step of [1, 2, 3]) {
      const resumeFrom = path.join(whole.folder, 'checkpoints', `text-00000${step}`);
      const { atStart, from } = changing();
      const rules = { atStart: step < 3 ? atStart : (from(3) ?? atStart), from };
      const again = await runs.run('whole', SLOW, { attempt: 2, resumeFrom, rules });
      assert.deepEqual(
        stepsOf(again).map(({ metrics, rulesVersion }) => ({ metrics, rulesVersion })),
        stepsOf(whole)
          .slice(step)
          .map(({ metrics, rulesVersion }) => ({ metrics, rulesVersion })),
      );
      assert.ok(weights(whole.folder, 'text-000004').equals(end), `from step ${step}`);
    }
  });
});
