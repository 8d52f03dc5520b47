import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readCurriculum } from '../../src/config/curriculum';
import { hintsOf } from '../../src/query/hints';
import { type RescoreReport, rescore } from '../../src/query/rescore';
import { type StoredGroup, type StoredRollouts, storedRollouts } from '../../src/query/stored-rollouts';
import { compileRules, type RuleSet } from '../../src/reward/rule-set';

function rulesOf(rewards: string): Promise<RuleSet> {
  const curriculum = `{model: {path: m}, data: {d: {path: d}}, phases: [{id: p, view: text, sources: [d], steps: 1}], rewards: ${rewards}}`;
  const result = readCurriculum(curriculum, 'c.yaml', [], { files: 'unchecked' });
  if (!('loaded' in result)) assert.fail(result.diagnostics.map(d => d.message).join('; '));
  return compileRules(result.loaded.config.rewards);
}

/** Groups of completions whose gold answer is 4, a step each, as format and accuracy paid them. */
function stored(...steps: readonly (readonly string[])[]): StoredRollouts {
  return {
    files: steps.map((_, i) => `step-${i}`),
    read: async file => {
      const step = Number(file.slice(5));
      const completions = steps[step]!;
      const group: StoredGroup = {
        file,
        step,
        phase: 'p',
        samples: completions.map(completion => ({
          completion,
          tokens: completion.length,
          truncated: false,
          example: { id: `${step}`, source: 'd', question: '2 + 2', answer: '4', answerKind: 'number', images: [] },
        })),
        rewards: completions.map(text => (text.includes('4') ? 1 : 0.1)),
        scores: completions.map(text => ({ format: 1, accuracy: text.includes('4') ? 1 : 0 })),
      };
      return [group];
    },
  };
}

const RIGHT = '<think>so</think><answer>4</answer>';
const WRONG = '<think>so and so and so</think><answer>5</answer>';
const OPTIONS = { seed: 0, advantage: { scale: 'group', eps: 1e-6 } } as const;

describe('re-scoring stored rollouts', () => {
  it('by the same rules changes nothing', async () => {
    const rules = await rulesOf('{}');
    const report = await rescore(stored([RIGHT, WRONG], [WRONG, WRONG]), () => rules, OPTIONS);
    assert.deepEqual(
      [report.samples, report.right, report.reward.before?.toFixed(3), report.reward.after.toFixed(3)],
      [4, 1, '0.325', '0.325'],
    );
    assert.deepEqual([report.mostChanged, report.groupsReordered, report.advantagesFlipped], [[], 0, 0]);
    assert.deepEqual(
      report.rules.map(({ rule, mean, change }) => [rule, mean, change]),
      [
        ['format', 1, 0],
        ['accuracy', 0.25, 0],
      ],
    );
    assert.deepEqual(report.groupsWithoutSpread, { before: 1, after: 1 });
  });

  it('by others says what would have been', async () => {
    const rules = await rulesOf('{accuracy: {weight: 0}, rules: {long: {kind: score, expression: "tokens / 100"}}}');
    const report = await rescore(stored([RIGHT, WRONG]), () => rules, OPTIONS);
    assert.deepEqual([report.groupsReordered, report.advantagesFlipped], [1, 2]);
    assert.equal(report.mostChanged.length, 2);
    assert.equal(report.rules.find(({ rule }) => rule === 'long')?.change, undefined);
  });

  it('answers first on a sample, and can be broken off', async () => {
    const rules = await rulesOf('{}');
    const cancel = new AbortController();
    const seen: RescoreReport[] = [];
    const progress = (report: RescoreReport) => {
      seen.push(report);
      cancel.abort();
    };
    const steps = Array.from({ length: 30 }, () => [RIGHT, WRONG]);
    const report = await rescore(stored(...steps), () => rules, { ...OPTIONS, signal: cancel.signal, progress });
    assert.deepEqual(
      [seen.length, seen[0]?.partial, report.partial, report.files, report.ofFiles],
      [1, true, true, 4, 30],
    );
  });

  it('hints at what may be wrong, with figures', async () => {
    const rules = await rulesOf(
      '{rules: {never: {kind: match, pattern: "eureka"}, up: {kind: score, expression: "1"}, down: {kind: score, expression: "1", weight: -1}, broken: {kind: score, expression: "nothing"}}}',
    );
    const report = await rescore(stored(...Array.from({ length: 20 }, () => [WRONG, WRONG])), () => rules, OPTIONS);
    const hints = hintsOf(report).join('\n');
    for (const hint of [
      /never never fires in 40/,
      /up and down nearly cancel: 1.00 and -1.00/,
      /broken could not be asked of 40 of 40/,
      /20 of 20 \(100%\) groups have no spread and teach nothing: no answer is right/,
    ])
      assert.match(hints, hint);
  });

  it('reads the completions that TRL logs', async function () {
    const data = process.env['TRIPHASE_DATA'];
    const folder = data === undefined ? '' : path.join(data, 'rollouts', 'trl_run');
    if (!existsSync(folder)) return this.skip();
    const rules = await rulesOf('{rules: {digits: {kind: match, pattern: "[0-9]"}}}');
    const rollouts = await storedRollouts(folder, () => undefined);
    const report = await rescore(rollouts, () => rules, OPTIONS);
    assert.deepEqual([report.files, report.samples, report.groups], [30, 1920, 240]);
    assert.equal(report.reward.before, undefined);
    assert.ok((report.rules.find(({ rule }) => rule === 'digits')?.fires ?? 0) > 0.9);
  });
});
