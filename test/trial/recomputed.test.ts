import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ChildProgram } from '../../src/program/child';
import { TriphaseError } from '../../src/protocol/errors';
import {
  type RecomputedCurves,
  type RecomputeParams,
  type RecomputeProgress,
  recomputeRequest,
  tryRequest,
} from '../../src/protocol/trial';
import { completionsOf, mean, rewardOf, runOfTwoVersions, scoresOf, steps } from './two-versions';

describe('a run whose rules were changed, recomputed under one version', function () {
  this.timeout(60_000);
  let home: string;
  let folder: string;
  let config: string;
  const program = new ChildProgram({
    program: () => ({ node: process.execPath, file: 'dist/trial.js' }),
    name: 'The process that tries rules',
    onLog: line => console.error(line),
  });
  const recompute = (
    under: RecomputeParams['under'],
    more: { readonly told?: (progress: RecomputeProgress) => void; readonly signal?: AbortSignal } = {},
  ): Promise<RecomputedCurves> => program.ask(recomputeRequest, { folder, under }, more);

  before(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'recomputed-'));
    folder = await runOfTwoVersions(home);
    config = path.join(home, 'curriculum.yaml');
  });
  after(async () => {
    await program.close();
    rmSync(home, { recursive: true, force: true });
  });

  const all = Array.from({ length: steps }, (_, i) => i + 1);
  const close = (got: readonly (number | null)[] | undefined, expected: readonly number[]): void => {
    assert.equal(got?.length, expected.length);
    for (const [i, value] of expected.entries()) assert.ok(Math.abs((got?.[i] ?? Number.NaN) - value) < 1e-9, `${got}`);
  };

  for (const version of [1, 2] as const)
    it(`pays every step by version ${version}, those of the other version too`, async () => {
      const { steps: found, rollouts, metrics } = await recompute({ of: 'version', version });
      assert.deepEqual(found, all);
      assert.equal(rollouts, all.flatMap(completionsOf).length);
      close(
        metrics['reward'],
        all.map(step => mean(completionsOf(step).map(completion => rewardOf(version, completion)))),
      );
      const rules = Object.keys(scoresOf[version](''));
      for (const rule of rules)
        close(
          metrics[`rewards/${rule}/mean`],
          all.map(step => mean(completionsOf(step).map(completion => scoresOf[version](completion)[rule] ?? 0))),
        );
      assert.equal('rewards/even/mean' in metrics, version === 2, 'only rules of the version');
    });

  it('pays by rules that are in the editor, and leaves the rest of the config out', async () => {
    const text = readFileSync(config, 'utf8').replace('weight: 0.5', 'weight: 5').replace('seed: 3', 'seed: 4');
    const { metrics } = await recompute({ of: 'text', kind: 'curriculum', text, file: config });
    close(
      metrics['reward'],
      all.map(step => mean(completionsOf(step).map(completion => 5 * completion.length))),
    );
  });

  it('says why rules cannot be asked', async () => {
    const text = readFileSync(config, 'utf8').replace('completion.length', '"completion.length +"');
    const failed = async (under: RecomputeParams['under']): Promise<string> => {
      const error: unknown = await recompute(under).catch((reason: unknown) => reason);
      assert.ok(error instanceof TriphaseError);
      return error.message;
    };
    assert.match(await failed({ of: 'text', kind: 'curriculum', text, file: config }), /^curriculum\.yaml:8: /);
    assert.match(await failed({ of: 'version', version: 9 }), /^Version 9 of the reward rules is gone/);
    const file = path.join(folder, 'rules', '2.yaml');
    const kept = readFileSync(file, 'utf8');
    writeFileSync(file, kept.replace(/file: .*\.ts/, 'file: gone.ts'));
    assert.match(await failed({ of: 'version', version: 2 }), /gone\.ts/);
    writeFileSync(file, kept);
    assert.equal((await recompute({ of: 'version', version: 2 })).steps.length, steps);
  });

  it('says which rule broke, and of how many rollouts', async () => {
    const script = path.join(home, 'breaks.ts');
    writeFileSync(
      script,
      "export const score = ({ completion }) => { if (completion.length > 8) throw new Error('no'); return 1; };",
    );
    const rule = `    breaks: { kind: script, file: ${script} }\n`;
    const text = readFileSync(config, 'utf8').replace('phases:', `${rule}phases:`);
    const { failed } = await recompute({ of: 'text', kind: 'curriculum', text, file: config });
    const long = all.flatMap(completionsOf).filter(completion => completion.length > 8);
    assert.deepEqual(failed, [{ rule: 'breaks', rollouts: long.length }]);
  });

  it('tells how far it is, can be broken off, and is whole though rules are typed meanwhile', async () => {
    const told: RecomputeProgress[] = [];
    const stop = new AbortController();
    const broken = recompute({ of: 'version', version: 1 }, { signal: stop.signal });
    stop.abort();
    await assert.rejects(broken, { name: 'AbortError' });
    const text = readFileSync(config, 'utf8');
    const [one, two, tried] = await Promise.all([
      recompute({ of: 'version', version: 1 }, { told: progress => told.push(progress) }),
      recompute({ of: 'version', version: 2 }),
      program.ask(tryRequest, { kind: 'curriculum', text, file: config, folder }),
    ]);
    assert.deepEqual([one.steps, two.steps], [all, all]);
    assert.equal(tried.of === 'run' && tried.run.partial, false);
    assert.ok(told.length > 0);
    assert.equal(told.at(-1)?.files, told.at(-1)?.ofFiles);
  });
});
