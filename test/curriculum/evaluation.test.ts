// An evaluation of a tiny model by the rules of its config.

import assert from 'node:assert/strict';
import { SmallRuns } from './small-run';

describe('an evaluation', function () {
  this.timeout(120_000);
  let runs: SmallRuns;
  before(async () => {
    runs = await SmallRuns.make();
  });
  after(() => runs.remove());

  it('is scored by all rules of the config, at its step', async () => {
    const { events } = await runs.run('evaluated', [
      'evaluation={data: [rows], conditions: [question], samples: 3, temperature: 1}',
      'phases.0.steps=2',
      'rewards.accuracy.weight=0',
      'rewards.rules.length={kind: score, expression: tokens, weight: 1}',
      'rewards.rules.others={kind: score, expression: "group.length + step", weight: 0}',
      'rewards.rules.said={kind: answer, place: statement, as: string, weight: 1}',
    ]);
    const evaluations = events.flatMap(event => (event.kind === 'evaluation' ? [event] : []));
    assert.deepEqual(
      evaluations.map(({ step, rulesVersion }) => [step, rulesVersion]),
      [
        [0, 1],
        [2, 1],
      ],
    );
    for (const { conditions, step } of evaluations) {
      const [asked] = conditions;
      assert.ok(asked?.rules !== undefined && asked.n === 9);
      assert.deepEqual(Object.keys(asked.rules), ['format', 'accuracy', 'said', 'length', 'others']);
      assert.equal(asked.rules['length'], asked.lengthTokens);
      assert.equal(asked.rules['others'], 3 + step);
      // the model says no such sentence: the answer rule that pays is the one that counts
      assert.deepEqual([asked.right, asked.ungradable], [0, 9]);
      assert.ok(Math.abs((asked.reward ?? 0) - (asked.rules['format'] ?? 0) - (asked.lengthTokens ?? 0)) < 1e-9);
    }
  });
});
