// Published data sets, by configuration alone: how many examples each gives, and what the gold answers are.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadCurriculum } from '../../src/config/curriculum';
import { type LoadedExamples, loadExamples } from '../../src/data/examples';
import type { Example } from '../../src/protocol/example';
import { scoreAlone } from '../reward/alone';
import { temporaryFolder } from '../run/temporary';
import { usableOf } from './usable';

/** Where on this machine the data sets are; the names of their files are those of their publishers. */
const root = process.env['TRIPHASE_DATA'];

describe('published data sets', function () {
  this.timeout(30_000);
  const folder = temporaryFolder();

  before(function () {
    if (root === undefined || !existsSync(root)) this.skip();
  });

  /** Loads, and checks what holds of every data set: the gold answer, written as asked, is right. */
  async function load(set: { readonly path: string; readonly [setting: string]: unknown }): Promise<LoadedExamples> {
    mkdirSync(path.join(folder(), 'base'), { recursive: true });
    writeFileSync(path.join(folder(), 'base', 'config.json'), '{}');
    const data = { data: { ...set, path: path.join(root ?? '', set.path) } };
    const phases = [{ id: 'only', view: 'text', sources: ['data'], steps: 1 }];
    const file = path.join(folder(), 'curriculum.yaml');
    writeFileSync(file, stringify({ model: { path: 'base' }, data, phases }));
    const { config, place } = loadCurriculum(file);
    const loaded = await loadExamples(config, 'data', place);
    const score = await scoreAlone(config.rewards);
    for (const example of loaded.examples) {
      const asked = `<think>so</think><answer>${example.answer}</answer>`;
      const { outcome, rules } = score(asked, example, false);
      assert.equal(outcome, 'right', `${example.id}: ${rules['accuracy']?.why}`);
    }
    return loaded;
  }

  const counts = (values: readonly string[]) =>
    Object.fromEntries([...new Set(values)].sort().map(value => [value, values.filter(v => v === value).length]));
  const answers = ({ examples }: LoadedExamples) => counts(examples.map(({ answer }) => answer));
  const shownIn = ({ examples }: LoadedExamples) =>
    (['text', 'captioned', 'image'] as const).map(view => usableOf(examples, view).examples.length);
  const withId = ({ examples }: LoadedExamples, id: string): Example => {
    const found = examples.find(example => example.id === id);
    assert.ok(found !== undefined, `there is no example ${id}`);
    return found;
  };

  it('GSM8K: the number after its mark', async () => {
    const loaded = await load({
      path: 'gsm8k/test.jsonl',
      answer: 'number',
      fields: { answer: { path: 'answer', after: '####' } },
    });
    assert.deepEqual([loaded.examples.length, loaded.dropped], [1319, []]);
    assert.equal(withId(loaded, '1').answer, '18');
    assert.equal(withId(loaded, '3').answer, '70000');
  });

  it('MATH-500: numbers and other answers, with the level as difficulty', async () => {
    const loaded = await load({
      path: 'math500_aime/math_splits_test.jsonl',
      answer: ['number', 'string'],
      fields: { id: 'unique_id', question: 'problem', difficulty: 'level' },
    });
    assert.deepEqual([loaded.examples.length, loaded.dropped], [500, []]);
    const first = withId(loaded, 'test/precalculus/807.json');
    assert.deepEqual([first.answer, first.answerKind], ['\\left( 3, \\frac{\\pi}{2} \\right)', 'string']);
    assert.deepEqual(counts(loaded.examples.map(({ difficulty }) => String(difficulty))), {
      1: 43,
      2: 90,
      3: 105,
      4: 128,
      5: 134,
    });
  });

  it('AIME, both years by one pattern', async () => {
    const loaded = await load({
      path: 'math500_aime/aime_splits_*.jsonl',
      answer: 'number',
      fields: { id: { template: '{{ problem[:80] }}' }, question: 'problem' },
    });
    assert.equal(loaded.examples.length, 60);
  });

  it('BBH: the list within a JSON object, options taken out of the question', async () => {
    const set = { rows: 'examples', fields: { question: 'input', answer: 'target' } };
    const expressions = await load({ ...set, path: 'logic_text/bbh_boolean_expressions.json' });
    assert.deepEqual(answers(expressions), { False: 115, True: 135 });
    const arithmetic = await load({
      ...set,
      path: 'logic_text/bbh_multistep_arithmetic_two.json',
      answer: 'number',
    });
    assert.equal(arithmetic.examples.length, 250);
    assert.equal(withId(arithmetic, '1').answer, '24');
    const deduction = await load({
      rows: 'examples',
      path: 'logic_text/bbh_logical_deduction_three_objects.json',
      answer: 'choice',
      fields: {
        question: { path: 'input', before: '\nOptions:' },
        answer: 'target',
        choices: { path: 'input', matches: '^\\([A-Z]\\) (.+)$' },
      },
    });
    assert.equal(deduction.examples.length, 250);
    const first = withId(deduction, '1');
    assert.deepEqual(first.choices, [
      'The blue jay is the second from the left',
      'The quail is the second from the left',
      'The falcon is the second from the left',
    ]);
    assert.match(first.question, /right of the quail\.$/);
    assert.equal(first.answer, '(A)');
  });

  it('FOLIO: premises joined into the scene', async () => {
    const loaded = await load({
      path: 'logic_text/folio_validation.jsonl',
      fields: {
        question: { template: 'Is it true that: {{ conclusion }}' },
        answer: 'label',
        scene: { path: 'premises', join: '\n' },
      },
    });
    assert.deepEqual(answers(loaded), { False: 63, True: 72, Uncertain: 69 });
    assert.equal(withId(loaded, '1').scene?.split('\n').length, 6);
  });

  it('NLVR: sentences about a picture', async () => {
    const loaded = await load({
      path: 'nlvr/nlvr_dev.jsonl',
      fields: { id: 'identifier', question: 'sentence', answer: 'label' },
    });
    assert.deepEqual(answers(loaded), { false: 442, true: 547 });
    assert.deepEqual(shownIn(loaded), [0, 0, 989]);
  });

  it('PuzzleVQA: options that are numbers or texts, and captions', async () => {
    const loaded = await load({
      path: 'puzzlevqa/puzzlevqa.jsonl',
      answer: 'choice',
      caption_leaks: 'keep',
      fields: { choices: 'options' },
    });
    assert.deepEqual([loaded.examples.length, loaded.dropped], [80, []]);
    assert.deepEqual(shownIn(loaded), [0, 80, 80]);
    const first = withId(loaded, '1');
    assert.deepEqual([first.answer, first.choices], ['4', ['6', '3', '4', '2']]);
    assert.ok(existsSync(first.images[0] ?? ''));
  });

  it('Geometry3K: a folder a problem, its logic forms joined into the caption', async () => {
    const loaded = await load({
      path: 'geometry3k',
      answer: 'choice',
      caption_leaks: 'keep',
      fields: {
        id: 'folder',
        question: 'data.problem_text',
        answer: 'data.answer',
        choices: 'data.choices',
        image: 'img_diagram',
        caption: { path: 'logic_form.diagram_logic_form', join: '. ' },
      },
    });
    assert.deepEqual(
      loaded.examples.map(({ id }) => id),
      Array.from({ length: 10 }, (_, i) => String(11 + i)),
    );
    const problem = withId(loaded, '17');
    assert.deepEqual([problem.answer, problem.choices], ['D', ['30', '45', '60', '120']]);
    assert.equal(path.basename(problem.images[0] ?? ''), 'img_diagram.png');
    assert.match(problem.caption ?? '', /^Equals\(MeasureOf\(Angle\(P, N, M\)\).*\. Equals\(/);
    assert.deepEqual(shownIn(loaded), [0, 10, 10]);
  });

  it('MATH-Vision: options where a question has them, other answers elsewhere', async () => {
    const loaded = await load({
      path: 'mathv/mathv_testmini.jsonl',
      answer: ['choice', 'number', 'string'],
      fields: {
        question: { template: "{{ question | replace('<image1>', '') }}" },
        choices: 'options',
        difficulty: 'level',
      },
    });
    assert.equal(loaded.examples.length, 96);
    assert.deepEqual(counts(loaded.examples.map(({ answerKind }) => answerKind)), { choice: 49, number: 47 });
    const first = withId(loaded, '748');
    assert.deepEqual([first.answer, first.choices?.length, first.difficulty], ['B', 5, 2]);
    assert.deepEqual(shownIn(loaded), [0, 0, 96]);
  });
});
