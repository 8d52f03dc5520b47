import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadCurriculum } from '../../src/config/curriculum';
import { loadRunData, type RunData } from '../../src/curriculum/sources';
import { firstExamples } from '../../src/data/example-list';
import type { TriphaseError } from '../../src/protocol/errors';
import { temporaryFolder } from '../run/temporary';

describe('duplicates', () => {
  const folder = temporaryFolder();

  const write = (name: string, rows: readonly object[]) =>
    writeFileSync(path.join(folder(), name), rows.map(row => JSON.stringify(row)).join('\n'));

  async function load(data: object, evaluation: readonly string[] = [], phases?: readonly object[]): Promise<RunData> {
    mkdirSync(path.join(folder(), 'base'), { recursive: true });
    writeFileSync(path.join(folder(), 'base', 'config.json'), '{}');
    const sources = Object.keys(data).filter(id => !evaluation.includes(id));
    const file = path.join(folder(), 'curriculum.yaml');
    writeFileSync(
      file,
      stringify({
        model: { path: 'base' },
        data,
        phases: phases ?? [{ id: 'only', view: 'text', sources, steps: 1 }],
        evaluation: { data: evaluation },
      }),
    );
    const { config } = loadCurriculum(file);
    return loadRunData(config, config.phases);
  }
  const questions = (data: RunData, phase = 'only') =>
    (data.phases.get(phase) ?? []).map(({ examples }) => firstExamples(examples).map(({ question }) => question));
  const report = (data: RunData, id: string) => data.reports.find(({ source }) => source === id)?.duplicates;
  const none = { within: 0, across: 0, evaluation: 0 };

  const rows = [
    { question: 'What is 3 + 4?', answer: '7' },
    { question: 'what  is 3+4', answer: '7' },
    { question: 'What is 3 - 4?', answer: '-1' },
  ];

  it('in words, but for case, spaces and end marks, are counted, and dropped where that is asked', async () => {
    write('rows.jsonl', rows);
    const kept = await load({ train: { path: 'rows.jsonl' } });
    assert.deepEqual(questions(kept), [rows.map(row => row.question)]);
    assert.deepEqual(report(kept, 'train'), {
      within: 1,
      across: [],
      evaluation: [],
      evaluationImages: 0,
      removed: none,
    });
    const dropped = await load({ train: { path: 'rows.jsonl', duplicates: { within: 'drop' } } });
    assert.deepEqual(questions(dropped), [['What is 3 + 4?', 'What is 3 - 4?']]);
    assert.deepEqual(report(dropped, 'train')?.removed, { ...none, within: 1 });
  });

  it('of data that an earlier source names, but not of one source in several phases', async () => {
    write('rows.jsonl', rows.slice(0, 1));
    write('more.jsonl', rows.slice(1));
    const duplicates = { across: 'drop' };
    const data = await load(
      { first: { path: 'rows.jsonl', duplicates }, second: { path: 'more.jsonl', duplicates } },
      [],
      [
        { id: 'one', view: 'text', sources: ['first'], steps: 1 },
        { id: 'two', view: 'text', sources: ['first', 'second'], steps: 1 },
      ],
    );
    assert.deepEqual(questions(data, 'two'), [['What is 3 + 4?'], ['What is 3 - 4?']]);
    assert.deepEqual(report(data, 'second'), {
      within: 0,
      across: [{ source: 'first', count: 1 }],
      evaluation: [],
      evaluationImages: 0,
      removed: { ...none, across: 1 },
    });
    assert.deepEqual(report(data, 'first')?.removed, none);
  });

  it('of data that is evaluated, which itself stays whole', async () => {
    write('rows.jsonl', rows);
    write('test.jsonl', rows.slice(2));
    const duplicates = { evaluation: 'drop' };
    const data = await load({ train: { path: 'rows.jsonl', duplicates }, test: { path: 'test.jsonl' } }, ['test']);
    assert.deepEqual(questions(data), [rows.slice(0, 2).map(row => row.question)]);
    assert.deepEqual(report(data, 'train')?.evaluation, [{ source: 'test', count: 1 }]);
    assert.equal(data.evaluation.length, 1);
    assert.equal(report(data, 'test'), undefined);
    await assert.rejects(
      load({ train: { path: 'test.jsonl', duplicates }, test: { path: 'test.jsonl' } }, ['test']),
      (error: TriphaseError) => /has no examples from train \(1 are in evaluation data\)/.test(error.message),
    );
  });

  it('are told apart by their images, byte for byte, whatever the files are called', async () => {
    const image = (name: string, content: string) => writeFileSync(path.join(folder(), name), content);
    // of one size, so that their contents decide
    image('a.png', 'picture 1');
    image('copy.png', 'picture 1');
    image('b.png', 'picture 2');
    const ask = (question: string, file: string) => ({ question, answer: 'x', image: file });
    write('rows.jsonl', [ask('What is it?', 'a.png'), ask('What is it?', 'b.png'), ask('what is it', 'copy.png')]);
    write('test.jsonl', [ask('How many?', 'b.png')]);
    const phases = [{ id: 'only', view: 'image', sources: ['train'], steps: 1 }];
    const data = await load({ train: { path: 'rows.jsonl' }, test: { path: 'test.jsonl' } }, ['test'], phases);
    assert.deepEqual(report(data, 'train'), {
      within: 1,
      across: [],
      evaluation: [],
      evaluationImages: 1,
      removed: none,
    });
  });
});
