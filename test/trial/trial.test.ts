import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import type { RolloutRecord } from '../../src/protocol/run';
import { type Tried, type TryParams, testRulesRequest, triedNotification, tryRequest } from '../../src/protocol/trial';
import { readEvents } from '../../src/run/event-log';
import { currentRollouts, readRollouts } from '../../src/run/rollouts';
import { tinyRun } from '../session/tiny-run';

describe('rules tried as they are typed', function () {
  this.timeout(120_000);
  let home: string;
  let folder: string;
  let records: readonly RolloutRecord[];
  let text: string;
  let child: ChildProcess;
  let connection: MessageConnection;
  let trial = 0;

  before(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'trial-'));
    folder = await tinyRun(home);
    text = readFileSync(path.join(home, 'curriculum.yaml'), 'utf8');
    const files = currentRollouts(readEvents(folder).events);
    records = (await Promise.all(files.map(file => readRollouts(folder, file)))).flat();
    child = spawn(process.execPath, ['dist/trial.js'], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null || child.stdin === null) throw new Error('no streams');
    connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    connection.listen();
  });
  after(() => {
    connection?.dispose();
    child?.stdin?.end();
    rmSync(home, { recursive: true, force: true });
  });

  /** All that is told, the answer last. */
  async function tried(change: (text: string) => string, more: Partial<TryParams> = {}): Promise<readonly Tried[]> {
    const number = ++trial;
    const told: Tried[] = [];
    const listening = connection.onNotification(triedNotification, one => {
      if (one.trial === number) told.push(one.tried);
    });
    const answer = await connection.sendRequest(tryRequest, {
      trial: number,
      kind: 'curriculum',
      text: change(text),
      file: path.join(home, 'curriculum.yaml'),
      folder,
      ...more,
    });
    listening.dispose();
    return [...told, answer];
  }

  it('says of the rollout at hand first what it would have been paid', async () => {
    const at = { step: 2, group: 0, sample: 1 };
    const record = records.find(({ step, sample }) => step === at.step && sample === at.sample) as RolloutRecord;
    const [first] = await tried(written => written.replace('% 7', '% 7 + 10'), { at });
    assert.equal(first?.of, 'rollout');
    const { rollout } = first as Extract<Tried, { readonly of: 'rollout' }>;
    assert.deepEqual(rollout.ref, at);
    assert.equal(rollout.reward.before, record.reward);
    assert.equal(rollout.rules['odd']?.score, (record.completion.length % 7) + 10);
  });

  it('then of all: means, changes, and what changes most', async () => {
    const last = (await tried(written => written.replace('% 7', '% 7 * 2'))).at(-1);
    assert.equal(last?.of, 'run');
    const { run } = last as Extract<Tried, { readonly of: 'run' }>;
    assert.equal(run.partial, false);
    assert.equal(run.rollouts, records.length);
    const mean = records.reduce((sum, { completion }) => sum + (completion.length % 7), 0) / records.length;
    const odd = run.rules.find(({ rule }) => rule === 'odd');
    assert.ok(Math.abs((odd?.mean ?? 0) - 2 * mean) < 1e-9);
    assert.ok(Math.abs((odd?.change ?? 0) - mean) < 1e-9);
    assert.equal(run.groupsReordered, 0, 'twice as much is the same order');
  });

  it('also while the rest of the config is wrong', async () => {
    const last = (await tried(written => `${written}\nnonsense: 1\n`)).at(-1);
    assert.equal(last?.of, 'run');
  });

  it('says what is wrong with rules that cannot be asked, with the line', async () => {
    const [answer] = await tried(written => written.replace('completion.length % 7', '"completion.length %"'));
    assert.equal(answer?.of, 'wrong');
    const { problems } = answer as Extract<Tried, { readonly of: 'wrong' }>;
    assert.match(problems[0] ?? '', /^curriculum\.yaml:\d+: /);
  });

  it('runs the test cases beside the rules', async () => {
    const rules = (score: number) => ({
      kind: 'rewards' as const,
      text: `rules:\n  odd:\n    kind: score\n    expression: completion.length\n    tests: [{ completion: abc, score: ${score} }]\n`,
      file: path.join(home, 'rewards.yaml'),
    });
    const right = await connection.sendRequest(testRulesRequest, rules(3));
    assert.deepEqual(
      right.tests.map(({ rule, index, faults }) => [rule, index, faults]),
      [['odd', 0, []]],
    );
    const wrong = await connection.sendRequest(testRulesRequest, rules(4));
    assert.match(wrong.tests[0]?.faults[0] ?? '', /must pay 4, but it pays 3/);
    const broken = await connection.sendRequest(testRulesRequest, {
      ...rules(3),
      text: 'rules: { odd: { kind: none } }',
    });
    assert.equal(broken.tests.length, 0);
    assert.match(broken.problems[0] ?? '', /rewards\.yaml:1/);
  });
});
