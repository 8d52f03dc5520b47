import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadCurriculum } from '../../src/config/curriculum';
import { firstExamples, GrowingList } from '../../src/data/example-list';
import { loadExamples, openExamples } from '../../src/data/examples';
import { temporaryFolder } from '../run/temporary';

describe('a list of examples', () => {
  const folder = temporaryFolder();
  const file = () => path.join(folder(), 'rows.jsonl');

  function config(set: object = {}) {
    mkdirSync(path.join(folder(), 'base'), { recursive: true });
    writeFileSync(path.join(folder(), 'base', 'config.json'), '{}');
    const curriculum = path.join(folder(), 'curriculum.yaml');
    const phases = [{ id: 'only', view: 'text', sources: ['data'], steps: 1 }];
    writeFileSync(
      curriculum,
      stringify({ model: { path: 'base' }, data: { data: { path: 'rows*.jsonl', ...set } }, phases }),
    );
    return loadCurriculum(curriculum).config;
  }

  // line ends of both kinds, empty lines, letters of several bytes, rows across the chunks of a stream
  const row = (i: number) =>
    JSON.stringify({ question: `Größe ${i}? ${'é'.repeat(i % 7)}`, answer: i % 5 ? i : '', x: i });
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => `${row(from + i)}${i % 3 ? '\n' : '\r\n\n'}`).join('');

  it('that is too large to hold is read again from its files, and is the same', async () => {
    writeFileSync(file(), `\uFEFF${rows(0, 20_000)}`);
    writeFileSync(path.join(folder(), 'rows2.jsonl'), rows(20_000, 50).trimEnd());
    const whole = await loadExamples(config(), 'data');
    const { examples, dropped } = await openExamples(config(), 'data', undefined, 1000);
    assert.ok(examples instanceof GrowingList && examples.indexed);
    assert.equal(examples.length, 20_050 * 0.8);
    assert.deepEqual(dropped, whole.dropped);
    assert.deepEqual(firstExamples(examples), whole.examples);
    assert.deepEqual(examples.at(15_999), whole.examples[15_999]);
  });

  it('knows of a file that changes under it', async () => {
    writeFileSync(file(), rows(1, 3));
    const { examples } = await openExamples(config(), 'data', undefined, 10);
    examples.at(0);
    await new Promise(resolve => setTimeout(resolve, 20));
    appendFileSync(file(), row(9));
    assert.throws(() => examples.at(1), { code: 'data', message: /was changed while a run was reading/ });
  });
});
