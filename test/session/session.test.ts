import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  type ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type { RolloutRecord } from '../../src/protocol/run';
import { type BranchParams, type BranchProgress, branchNotification, branchRequest } from '../../src/protocol/session';
import { readEvents } from '../../src/run/event-log';
import { currentRollouts, readRollouts } from '../../src/run/rollouts';
import { tinyRun } from './tiny-run';

/** A run of a tiny model on pictures, made by the command line, and the session's own process on it. */
describe('an interactive session', function () {
  this.timeout(120_000);
  let home: string;
  let folder: string;
  let record: RolloutRecord;
  let child: ChildProcess;
  let connection: MessageConnection;

  before(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'session-'));
    folder = await tinyRun(home);
    const [first = ''] = currentRollouts(readEvents(folder).events);
    record = (await readRollouts(folder, first))[1] as RolloutRecord;
    child = spawn(process.execPath, ['dist/session.js'], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null || child.stdin === null) throw new Error('no streams');
    connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
  });

  after(() => {
    connection?.dispose();
    child?.stdin?.end();
    rmSync(home, { recursive: true, force: true });
  });

  const params = (more: Partial<BranchParams> = {}): BranchParams => ({
    folder,
    ref: { step: 1, group: 0, sample: 1 },
    token: 4,
    samples: 2,
    seed: 0,
    checkpoint: 'base',
    ...more,
  });

  it('gives a forced token the log-probability that was recorded when it was drawn', async () => {
    const id = record.completion_ids[4] as number;
    const { branches, checkpoint } = await connection.sendRequest(branchRequest, params({ force: { id } }));
    assert.equal(checkpoint, 'base');
    assert.equal(branches.length, 2);
    for (const { tokens, completion, from } of branches) {
      assert.deepEqual(tokens.ids.slice(0, 5), record.completion_ids.slice(0, 5));
      const [now, then] = [tokens.logprobs?.[4] as number, record.logprobs?.[4] as number];
      assert.ok(Math.abs(now - then) < 1e-4, `${now} beside ${then}`);
      assert.equal(completion.slice(0, from), record.completion.slice(0, from));
      assert.equal(tokens.offsets?.length, tokens.ids.length);
      assert.equal(tokens.alternatives?.length, tokens.ids.length);
      assert.ok((tokens.alternatives?.[5]?.length ?? 0) >= 2);
    }
  });

  it('goes on by the draws of each sample, as hot as it is told', async () => {
    const { branches } = await connection.sendRequest(branchRequest, params({ temperature: 4, samples: 3 }));
    assert.equal(new Set(branches.map(({ tokens }) => tokens.ids.join())).size, 3);
  });

  it('is repeated by its seed, and scored by the rules of the run', async () => {
    const [one, other] = [
      await connection.sendRequest(branchRequest, params()),
      await connection.sendRequest(branchRequest, params()),
    ];
    assert.deepEqual(one, other);
    for (const { completion, rules, reward } of one.branches)
      assert.deepEqual([rules['odd']?.score, reward], [completion.length % 7, rules['odd']?.score]);
    const elsewhere = await connection.sendRequest(branchRequest, params({ seed: 1 }));
    assert.notDeepEqual(
      elsewhere.branches.map(b => b.tokens.ids),
      one.branches.map(b => b.tokens.ids),
    );
  });

  it('goes on with another checkpoint, which has learned since', async () => {
    const id = record.completion_ids[4] as number;
    const { branches, checkpoint } = await connection.sendRequest(
      branchRequest,
      params({ checkpoint: 'look-000002', force: { id } }),
    );
    assert.equal(checkpoint, 'look-000002');
    assert.notEqual(branches[0]?.tokens.logprobs?.[4]?.toFixed(4), record.logprobs?.[4]?.toFixed(4));
  });

  it('tells how it goes, and ends when it is cancelled', async () => {
    const told: BranchProgress[] = [];
    const listening = connection.onNotification(branchNotification, progress => void told.push(progress));
    await connection.sendRequest(branchRequest, params({ token: 0 }));
    assert.ok(told.length > 0);
    assert.ok(told.every(({ tokens, ofTokens, texts }) => tokens <= ofTokens && texts.length === 2));
    listening.dispose();
    const cancel = new CancellationTokenSource();
    const asked = connection.sendRequest(branchRequest, params({ samples: 64, token: 0 }), cancel.token);
    cancel.cancel();
    await assert.rejects(asked, (error: ResponseError<unknown>) => error.code === -32800);
    // and the next is answered
    await connection.sendRequest(branchRequest, params());
  });

  it('says what is not there', async () => {
    const refused = (more: Partial<BranchParams>, says: RegExp) =>
      assert.rejects(connection.sendRequest(branchRequest, params(more)), (error: Error) => says.test(error.message));
    await refused({ checkpoint: 'nowhere' }, /no whole checkpoint named nowhere.*It has look-/s);
    await refused({ ref: { step: 9, group: 0, sample: 0 } }, /step 9 has no completion 0 of group 0/);
    await refused({ folder: home }, /no file/);
    await refused({ samples: 0 }, /samples/);
  });
});
