import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../host/bundle';
import { temporaryFolder } from '../run/temporary';

describe('score', () => {
  const folder = temporaryFolder();

  it('is one file without native parts: lines of completions in, lines of scores and evidence out', () => {
    const { score } = bundle(folder(), { score: 'src/reward/score.ts' });
    assert.doesNotMatch(readFileSync(score, 'utf8'), /require\("(?:onnxruntime-node|sharp)"\)/);
    const config = path.join(folder(), 'curriculum.yaml');
    writeFileSync(
      config,
      '{model: {path: m}, data: {d: {path: d}}, phases: [{id: p, view: text, sources: [d], steps: 1, rewards: {use: [accuracy]}}], rewards: {rules: {calm: {kind: match, forbid: ["!"]}}}}',
    );
    const lines = [
      { id: 7, completion: '<think>x</think><answer>5</answer>', answer: 5 },
      { completions: ['<answer>B</answer>', 'B!'], answer: 'B', choices: ['a', 'b'] },
      'nonsense',
      { completion: 5 },
    ];
    const run = (...more: readonly string[]) => {
      const input = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
      const { stdout, status } = spawnSync(process.execPath, [score, '--config', config, ...more], {
        input,
        encoding: 'utf8',
      });
      assert.equal(status, 0);
      return stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
    };
    const [one, group, ...errors] = run();
    assert.deepEqual(
      [one.id, one.reward, one.outcome, one.rules.accuracy.spans],
      [7, 2, 'right', [{ start: 24, end: 25 }]],
    );
    assert.deepEqual(
      group.results.map((r: { reward: number; outcome: string }) => [r.reward, r.outcome]),
      [
        [1.9, 'right'],
        [0, 'ungradable'],
      ],
    );
    assert.deepEqual(
      errors.map(({ error }) => error.slice(0, 10)),
      ['the line i', 'completion'],
    );
    assert.equal(run('--phase', 'p')[0].reward, 0.9);
  });
});
