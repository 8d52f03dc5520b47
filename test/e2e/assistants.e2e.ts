// What an assistant in the editor can learn of runs through the editor's own tools, and that it starts none unasked. An
// extension beside ours invokes them, as one would.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareRecorded } from './lab';
import { pictureOfFailure, until, Workbench } from './workbench';

interface Answer {
  readonly id: number;
  readonly text?: string;
  readonly error?: string;
  readonly description?: string;
}

type Row = Readonly<Record<string, unknown>>;

describe('tools for an assistant', () => {
  let workbench: Workbench;
  let asked = 0;

  before(async () => {
    workbench = await Workbench.open({
      vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '',
      prepare: prepareRecorded,
      beside: [path.join('test', 'e2e', 'assistant')],
      settings: { 'chat.disableAIFeatures': false },
    });
    await workbench.command('Triphase: Focus on Runs View');
    await workbench.row(/shapes.*finished/).waitFor();
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  async function begin(tool: string, input: Row): Promise<() => Promise<Answer>> {
    const at = (name: string) => path.join(workbench.folder, name);
    const id = ++asked;
    writeFileSync(at('ask.json'), JSON.stringify({ id, tool: `triphase_${tool}`, input }));
    await workbench.command('Assistant: Ask');
    return () =>
      until(`an answer of ${tool}`, async () => {
        const answer = existsSync(at('answer.json')) && (JSON.parse(readFileSync(at('answer.json'), 'utf8')) as Answer);
        return answer !== false && answer.id === id && answer;
      });
  }

  async function ask(tool: string, input: Row): Promise<string> {
    const answer = await (await begin(tool, input))();
    assert.equal(answer.error, undefined);
    assert.ok((answer.description ?? '').length > 40, 'a model is told what the tool is for');
    return answer.text ?? '';
  }
  const parsed = async <T>(tool: string, input: Row): Promise<T> => JSON.parse(await ask(tool, input)) as T;

  it('lists the runs', async () => {
    type Listed = { readonly total: number; readonly runs: readonly Row[] };
    const { total, runs } = await parsed<Listed>('list_runs', {});
    assert.deepEqual([total, runs.length], [1, 1]);
    assert.deepEqual((await parsed<Listed>('list_runs', { offset: 1 })).runs, []);
    const [run] = runs;
    assert.equal(run?.['run'], 'towers');
    assert.equal(run['state'], 'finished');
    assert.equal(run['step'], 9);
    assert.ok(Array.isArray(run['accuracies']));
  });

  it('gets metrics, a bounded number of them at a bounded number of steps', async () => {
    type Metrics = { steps: number[]; metrics: Record<string, number[]>; other_metrics: string[]; shown: string };
    const all = await parsed<Metrics>('get_metrics', { run: 'towers' });
    assert.equal(Object.keys(all.metrics).length, 12);
    assert.ok(all.other_metrics.length > 0);
    const few = await parsed<Metrics>('get_metrics', { run: 'towers', metrics: ['reward'], from_step: 4, to_step: 6 });
    assert.deepEqual([few.steps, Object.keys(few.metrics), few.shown], [[4, 5, 6], ['reward'], '3 of 3 steps']);
  });

  it('finds rollouts by pages, and explains the reward of one', async () => {
    type Page = { total: number; rows: (Row & { step: number; group: number; sample: number })[] };
    const wanted = { run: 'towers', filter: 'reward < 0.5', sort_by: 'reward' };
    const first = await parsed<Page>('find_rollouts', { ...wanted, limit: 1000 });
    assert.equal(first.rows.length, 20);
    assert.ok(first.total > 20 && first.rows.every(({ reward }) => Number(reward) < 0.5));
    const next = await parsed<Page>('find_rollouts', { ...wanted, limit: 20, offset: 20 });
    const name = ({ step, group, sample }: Page['rows'][number]) => `${step} ${group} ${sample}`;
    const seen = new Set(first.rows.map(name));
    assert.ok(next.rows.every(row => !seen.has(name(row))));
    const [row] = first.rows;
    assert.ok(row);
    const { step, group, sample } = row;
    const why = await parsed<Row & { rules: Row[] }>('explain_reward', { run: 'towers', step, group, sample });
    assert.equal(why['reward'], row['reward']);
    assert.deepEqual(why.rules.map(({ rule }) => rule).sort(), ['accuracy', 'boxed', 'format']);
    assert.ok(why.rules.every(rule => typeof rule['why'] === 'string'));
  });

  it('says what to ask instead of what is not there', async () => {
    assert.match(await ask('get_metrics', { run: 'nowhere' }), /no run 'nowhere'.*There are: towers/s);
    assert.match(await ask('find_rollouts', { run: 'towers', filter: 'rewrd < 1' }), /^error: .*rewrd/);
  });

  it('starts a run only when the person says so', async () => {
    const input = { config: 'shapes/curriculum.yaml', quick: true };
    const dialog = workbench.page.locator('.monaco-dialog-box');
    const refused = await begin('start_run', input);
    await dialog.getByText('Start a run?').waitFor();
    await workbench.picture('assistant-asks');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.notEqual((await refused()).error, undefined);
    assert.equal(workbench.runs().length, 1);
    const allowed = await begin('start_run', input);
    await dialog.getByText('Start a run?').waitFor();
    await dialog.getByRole('button', { name: 'Yes' }).click();
    const { text = '' } = await allowed();
    const { run } = JSON.parse(text) as { run: string };
    assert.ok(workbench.runs().some(folder => path.basename(folder) === run));
    await workbench.row(/shapes.*\w+ \d+\/\d+/).waitFor();
  });
});
