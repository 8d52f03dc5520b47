// The bundle score.js alone in a folder, with no package beside it and none to be found.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../host/bundle';
import { temporaryFolder } from '../run/temporary';

describe('score.js in a bare folder', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  it('scores with every kind of rule and no native part', () => {
    const { score } = bundle(path.join(folder(), 'built'), { score: 'src/reward/score.ts' });
    copyFileSync(score, path.join(folder(), 'score.js'));
    assert.doesNotMatch(readFileSync(score, 'utf8'), /require\("(onnxruntime-node|sharp|@duckdb)/);
    writeFileSync(
      path.join(folder(), 'calm.ts'),
      'export const score = (s: { completion: string }): number => (s.completion.includes("!") ? 0 : 1);\n',
    );
    writeFileSync(
      path.join(folder(), 'c.yaml'),
      `model: {path: m}
data: {d: {path: d.jsonl}}
phases: [{id: p, view: text, sources: [d], steps: 1}]
rewards:
  rules:
    boxed: {kind: answer, place: box, as: math}
    short: {kind: length, budget: 5}
    fresh: {kind: repetition, n: 2}
    bomb: {kind: match, pattern: "(a+)+$"}
    bonus: {kind: score, expression: scores.boxed * 2}
    calm: {kind: script, file: calm.ts}
`,
    );
    const { stdout, stderr, status } = spawnSync(process.execPath, ['score.js', '--config', 'c.yaml'], {
      cwd: folder(),
      env: { PATH: process.env['PATH'], NODE_PATH: '' },
      input:
        '{"id": "1", "completion": "so \\\\boxed{\\\\frac{1}{2}}", "answer": "0.5", "tokens": 4}\n{"id": "2", "completions": ["no!", ""], "answer": 3}\n',
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const [one, two] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(
      ['boxed', 'short', 'fresh', 'bomb', 'bonus', 'calm'].map(name => one.rules[name].score),
      [1, 1, 1, 0, 2, 1],
    );
    assert.deepEqual(
      two.results.map((result: { rules: Record<string, { score: number; error?: string }> }) => [
        result.rules['calm']?.score,
        result.rules['short']?.error,
      ]),
      [
        [0, 'not-recorded'],
        [1, 'not-recorded'],
      ],
    );
  });
});
