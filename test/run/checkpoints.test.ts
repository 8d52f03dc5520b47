import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RunEvent } from '../../src/protocol/run';
import {
  copyCheckpoint,
  listCheckpoints,
  openCheckpoint,
  recoverCheckpoints,
  writeCheckpoint,
} from '../../src/run/checkpoints';
import { temporaryFolder } from './temporary';

describe('checkpoints', () => {
  const folder = temporaryFolder();

  const write = (step: number, { keep = 2, boundary = false, attempt = 1, content = `model ${step}` } = {}) =>
    writeCheckpoint(folder(), { phase: 'text', phaseStep: step, step, attempt, boundary }, keep, async into => {
      writeFileSync(path.join(into, 'model.safetensors'), content);
      mkdirSync(path.join(into, 'more'));
      writeFileSync(path.join(into, 'more', 'trainer_state.json'), '{}');
    });
  const names = () => readdirSync(path.join(folder(), 'checkpoints')).toSorted();
  const steps = (events: readonly RunEvent[] = []) => listCheckpoints(folder(), events).whole.map(c => c.step);

  it('appear whole, and the newest stay', async () => {
    await write(1);
    await write(2);
    const { folder: last, removed } = await write(3);
    assert.equal(last, 'checkpoints/text-000003');
    assert.deepEqual(removed, ['checkpoints/text-000001']);
    assert.deepEqual(names(), ['text-000002', 'text-000003']);
    assert.equal(readFileSync(path.join(folder(), last, 'model.safetensors'), 'utf8'), 'model 3');
  });

  it('at the end of a phase stay for good', async () => {
    await write(1, { boundary: true });
    for (const step of [2, 3, 4]) await write(step, { keep: 1 });
    assert.deepEqual(steps(), [1, 4]);
  });

  it('are copied for a run that forks, which counts them as its own beginning', async () => {
    await write(5, { attempt: 3 });
    const fork = path.join(folder(), 'fork');
    copyCheckpoint(path.join(folder(), 'checkpoints', 'text-000005'), fork);
    assert.deepEqual(
      listCheckpoints(fork, []).whole.map(({ step, attempt, folder: at }) => [step, attempt, at]),
      [[5, 0, 'checkpoints/text-000005']],
    );
    assert.equal(readFileSync(path.join(fork, 'checkpoints', 'text-000005', 'model.safetensors'), 'utf8'), 'model 5');
    // the first attempt of the fork goes on from it, and supersedes nothing
    const started = {
      kind: 'run-started',
      attempt: 1,
      resumedFrom: { checkpoint: 'checkpoints/text-000005', step: 5 },
    };
    assert.equal(listCheckpoints(fork, [started as RunEvent]).whole.length, 1);
  });

  it('that are damaged are not copied', async () => {
    await write(1);
    const from = path.join(folder(), 'checkpoints', 'text-000001');
    truncateSync(path.join(from, 'model.safetensors'), 3);
    assert.throws(() => copyCheckpoint(from, path.join(folder(), 'fork')), /cannot be used/);
  });

  it('leave nothing when writing them fails', async () => {
    const position = { phase: 'text', phaseStep: 1, step: 1, attempt: 1, boundary: false };
    await assert.rejects(
      writeCheckpoint(folder(), position, 1, async into => {
        writeFileSync(path.join(into, 'half'), 'x');
        throw new Error('no space left');
      }),
      /no space left/,
    );
    assert.deepEqual(names(), []);
  });

  it('that are damaged are named and passed over', async () => {
    await write(1);
    await write(2);
    truncateSync(path.join(folder(), 'checkpoints/text-000002/model.safetensors'), 3);
    const { whole, damaged } = listCheckpoints(folder(), []);
    assert.deepEqual(
      whole.map(c => c.folder),
      ['checkpoints/text-000001'],
    );
    assert.deepEqual(damaged, [{ folder: 'checkpoints/text-000002', why: 'model.safetensors has 3 of 7 bytes' }]);
    assert.throws(() => openCheckpoint(path.join(folder(), 'checkpoints/text-000002')), /3 of 7 bytes/);
  });

  it('survive a kill at any moment of replacing one', async () => {
    const all = path.join(folder(), 'checkpoints');
    await write(1, { content: 'old' });
    mkdirSync(path.join(all, '.new-text-000001'));
    recoverCheckpoints(folder());
    assert.deepEqual(names(), ['text-000001']);
    // between the two renames
    renameSync(path.join(all, 'text-000001'), path.join(all, '.old-text-000001'));
    recoverCheckpoints(folder());
    assert.deepEqual(names(), ['text-000001']);
    // after them
    await write(1, { content: 'new', attempt: 2 });
    mkdirSync(path.join(all, '.old-text-000001'));
    recoverCheckpoints(folder());
    assert.deepEqual(names(), ['text-000001']);
    assert.equal(readFileSync(path.join(all, 'text-000001/model.safetensors'), 'utf8'), 'new');
    assert.ok(!existsSync(path.join(all, '.old-text-000001')));
  });

  it('of steps that a later attempt went back behind do not count', async () => {
    for (const step of [1, 2, 3]) await write(step, { keep: 9 });
    const resumed: RunEvent = {
      kind: 'run-started',
      n: 9,
      time: '',
      attempt: 2,
      name: 'test',
      version: '0',
      machine: 'here',
      quick: false,
      supersedesAfter: 4,
      resumedFrom: { checkpoint: 'checkpoints/text-000001', step: 1 },
    };
    assert.deepEqual(steps([resumed]), [1]);
    await write(2, { attempt: 2, keep: 9 });
    assert.deepEqual(steps([resumed]), [1, 2]);
  });
});
