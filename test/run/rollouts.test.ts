import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parquetRows } from '../../src/parquet/read';
import { TriphaseError } from '../../src/protocol/errors';
import { rolloutColumns } from '../../src/protocol/rollout-record';
import { readRollouts, writeRollouts } from '../../src/run/rollouts';
import { rollout } from './rollout';
import { temporaryFolder } from './temporary';

describe('rollouts', () => {
  const folder = temporaryFolder();

  const rows = [
    rollout({ step: 12, completion: 'größer\n„ja“ 🙂', images: ['/a/ä.png', '/b.png'], view: 'image' }),
    rollout({ step: 12, sample: 1, scores: { format: null, accuracy: 1 }, reward: null, answer: null, offsets: null }),
    rollout({ step: 12, sample: 2, completion: '', completion_ids: [], offsets: [], logprobs: [], entropy: null }),
    rollout({ step: 12, sample: 3, alternative_ids: null, alternative_logprobs: null }),
    rollout({ step: 12, sample: 4, alternative_ids: [[], [3]], alternative_logprobs: [[], [-2]] }),
  ];

  it('come back as they were written', async () => {
    const name = await writeRollouts(folder(), rows);
    assert.equal(name, 'rollouts/text-000012.parquet');
    assert.deepEqual(await readRollouts(folder(), name), rows);
  });

  it('have a column for every rule that any of them was scored by', async () => {
    const name = await writeRollouts(folder(), [rollout({ scores: { a: 1 } }), rollout({ scores: { b: 0.25 } })]);
    const scores = (await readRollouts(folder(), name)).map(row => row.scores);
    assert.deepEqual(scores, [
      { a: 1, b: null },
      { a: null, b: 0.25 },
    ]);
  });

  it('of one step replace those of an earlier attempt, and leave nothing beside them', async () => {
    await writeRollouts(folder(), rows);
    const name = await writeRollouts(folder(), [rollout({ step: 12, attempt: 2 })]);
    assert.equal((await readRollouts(folder(), name)).length, 1);
    assert.deepEqual(readdirSync(path.join(folder(), 'rollouts')), ['text-000012.parquet']);
  });

  it('of a whole batch come back too', async () => {
    const long = Array.from({ length: 2000 }, (_, i) => i % 700);
    const many = Array.from({ length: 256 }, (_, i) =>
      rollout({ group: i >> 3, sample: i & 7, completion_ids: long, logprobs: long.map(id => -id / 512) }),
    );
    const name = await writeRollouts(folder(), many);
    assert.deepEqual(await readRollouts(folder(), name), many);
  });

  it('of long completions are read one by one as they are together', async () => {
    const lengths = [30_000, 1, 25_000, 0, 40_000];
    const records = lengths.map((length, sample) => {
      const ids = Array.from({ length }, (_, i) => (i * 31 + sample) % 50_000);
      return rollout({
        sample,
        completion_ids: ids,
        logprobs: ids.map(id => -id / 64),
        alternative_ids: ids.map(id => (id % 3 === 0 ? [] : [id, id + 1])),
      });
    });
    const file = path.join(folder(), await writeRollouts(folder(), records));
    const columns = ['completion_ids', 'logprobs', 'alternative_ids'];
    const whole = await parquetRows({ file, columns, from: 0, to: lengths.length, as: 'json' });
    assert.deepEqual(
      whole.map(row => (row['completion_ids'] as readonly number[]).length),
      lengths,
    );
    for (const [at] of lengths.entries())
      assert.deepEqual(await parquetRows({ file, columns, from: at, to: at + 1, as: 'json' }), [whole[at]]);
    assert.deepEqual(await parquetRows({ file, columns, from: 1, to: 4, as: 'json' }), whole.slice(1, 4));
  });

  it('refuse a rule that is named like a column', async () => {
    await assert.rejects(
      writeRollouts(folder(), [rollout({ scores: { advantage: 1 } })]),
      (error: unknown) => error instanceof TriphaseError && error.message.includes('"advantage"'),
    );
  });

  it('are read by pyarrow', async function () {
    const python = process.env['TRIPHASE_PYTHON'];
    if (python === undefined || !has(python, 'pyarrow')) this.skip();
    const name = await writeRollouts(folder(), rows);
    const script = 'import json, sys, pyarrow.parquet as p; print(json.dumps(p.read_table(sys.argv[1]).to_pylist()))';
    const printed = execFileSync(python, ['-c', script, path.join(folder(), name)], { encoding: 'utf8' });
    const expected = rows.map(({ scores, ...columns }) => ({ ...columns, ...scores }));
    assert.deepEqual(JSON.parse(printed), expected);
    assert.deepEqual(Object.keys(JSON.parse(printed)[0]).slice(0, rolloutColumns.length), [...rolloutColumns]);
  });
});

function has(python: string, module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
