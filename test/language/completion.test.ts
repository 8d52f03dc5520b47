import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Completion, completions } from '../../src/language/completion';
import type { FileKind } from '../../src/language/schema-walk';

/** What is offered where `‸` stands. */
function offered(
  marked: string,
  kind: FileKind = 'curriculum',
  file = '/nowhere/curriculum.yaml',
): readonly Completion[] {
  const offset = marked.indexOf('‸');
  assert.notEqual(offset, -1);
  return completions(kind, marked.replace('‸', ''), offset, file);
}

const labels = (marked: string, kind?: FileKind, file?: string) =>
  offered(marked, kind, file).map(({ label }) => label);

/** The text after the completion is taken. */
function taken(marked: string, label: string): string {
  const text = marked.replace('‸', '');
  const item = offered(marked).find(item => item.label === label);
  assert.ok(item, label);
  return text.slice(0, item.range.start) + item.snippet.replace('$0', '‸') + text.slice(item.range.end);
}

describe('completion in a curriculum', () => {
  it('offers the keys of the file at its left margin, those that must stand there first', () => {
    const items = offered('name: a\n‸');
    assert.deepEqual(
      items.filter(({ first }) => first).map(({ label }) => label),
      ['model', 'data', 'phases'],
    );
    assert.ok(!items.some(({ label }) => label === 'name'), 'what stands there already is not offered');
  });

  it('offers the keys of a group, in blocks and in braces, while a word is half written', () => {
    assert.ok(labels('generation:\n  tem‸').includes('temperature'));
    assert.ok(labels('generation:\n  samples: 8\n  ‸\nseed: 1').includes('temperature'));
    assert.ok(!labels('generation:\n  samples: 8\n  ‸\nseed: 1').includes('samples'));
    assert.ok(labels('generation: { samples: 8, ‸ }').includes('temperature'));
    assert.ok(labels('phases:\n  - id: a\n    vi‸').includes('view'));
    assert.ok(labels('phases:\n  - id: a\n    generation:\n      ‸').includes('top_p'));
    assert.ok(labels('phases:\n  - ‸').includes('id'));
    assert.ok(labels('phases:\n  - { id: a, ‸').includes('view'), 'braces that are still open');
  });

  it('says the default and whose it is', () => {
    const item = offered('generation:\n  ‸').find(({ label }) => label === 'temperature');
    assert.equal(item?.detail, 'default 1');
    assert.match(item.documentation, /0 is greedy.*our choice/s);
  });

  it('writes a key so that typing can go on', () => {
    assert.equal(taken('generation:\n  tem‸', 'temperature'), 'generation:\n  temperature: ‸');
    assert.equal(taken('seed: 1\n‸', 'phases'), 'seed: 1\nphases: [‸]');
    assert.equal(taken('seed: 1\n‸', 'generation'), 'seed: 1\ngeneration:\n  ‸');
    assert.equal(taken('phases: [{ gene‸ }]', 'generation'), 'phases: [{ generation: { ‸ } }]');
    assert.equal(taken('generation:\n  tem‸: 2', 'temperature'), 'generation:\n  temperature: 2');
  });

  it('offers the values of a key', () => {
    assert.deepEqual(labels('device: ‸'), ['auto', 'cpu', 'webgpu', 'dml', 'cuda']);
    assert.deepEqual(labels('phases: [{ view: ‸ }]'), ['text', 'captioned', 'image']);
    assert.deepEqual(labels('optimizer:\n  reset: ‸'), ['true', 'false']);
    assert.deepEqual(labels('evaluation:\n  conditions: [image, ‸]').slice(0, 2), ['image_caption', 'image']);
    assert.deepEqual(labels('model:\n  freeze:\n    - ‸'), ['vision']);
  });

  it('offers the kinds of a rule, and then the keys of that kind alone', () => {
    const rule = (inner: string) => `rewards:\n  rules:\n    brief:\n      ${inner}`;
    assert.deepEqual(labels(rule('kind: ‸')), ['match', 'answer', 'length', 'repetition', 'score', 'script']);
    const keys = labels(rule('kind: length\n      ‸'));
    assert.ok(keys.includes('budget') && keys.includes('when') && !keys.includes('expression'));
  });

  it('offers names of data and rules where they are used', () => {
    const data = 'data:\n  easy: { path: a.jsonl }\n  hard: { path: b.jsonl }\n';
    assert.deepEqual(labels(`${data}phases: [{ sources: [‸] }]`), ['easy', 'hard']);
    assert.deepEqual(labels(`${data}phases:\n  - sources:\n      - ha‸`).slice(0, 2), ['easy', 'hard']);
    assert.deepEqual(labels(`${data}evaluation: { data: [easy, ‸] }`), ['easy', 'hard']);
    const rules = 'rewards:\n  rules:\n    brief: { kind: length }\n  combine:\n    gates: [‸]\n';
    assert.deepEqual(labels(rules), ['format', 'accuracy', 'brief']);
    assert.deepEqual(labels('combine: { gates: [‸] }\nrules: { brief: { kind: length } }', 'rewards'), [
      'format',
      'accuracy',
      'brief',
    ]);
  });

  it('offers the words of an expression', () => {
    const expression = (inner: string) =>
      `rewards:\n  rules:\n    brief: { kind: length }\n    mine:\n      kind: score\n      expression: ${inner}\nphases: [{ id: hard }]`;
    assert.ok(labels(expression('1 / tok‸')).includes('tokens'));
    assert.deepEqual(labels(expression('scores.‸')), ['format', 'accuracy', 'brief', 'mine']);
    assert.ok(labels(expression('row.‸')).includes('question'));
    assert.deepEqual(labels(expression('phase == "‸"')), ['hard']);
  });

  it('offers nothing in comments and in words', () => {
    assert.deepEqual(labels('seed: 1 # dev‸'), []);
    assert.deepEqual(labels('name: ‸'), []);
    assert.deepEqual(labels('name: my sh‸'), []);
  });

  it('offers files beside the curriculum, and the keys of the rows of its data', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'completion-'));
    try {
      mkdirSync(path.join(folder, 'base'));
      mkdirSync(path.join(folder, 'data'));
      writeFileSync(path.join(folder, 'data', 'a.jsonl'), '{"question":"?","meta":{"level":3}}\n{"final":"4"}\n');
      writeFileSync(path.join(folder, 'notes.txt'), '');
      const file = path.join(folder, 'curriculum.yaml');
      assert.deepEqual(labels('model: { path: ‸ }', 'curriculum', file), ['base/', 'data/']);
      assert.deepEqual(labels('data:\n  x:\n    path: data/‸', 'curriculum', file), ['data/a.jsonl']);
      const fields = 'data:\n  x:\n    path: data/a.jsonl\n    fields: { answer: ‸ }';
      assert.deepEqual(labels(fields, 'curriculum', file), ['question', 'meta.level', 'final']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('never throws, wherever the cursor stands in a file that is cut off anywhere', () => {
    const text = `name: x # a "comment
model: {path: base}
data:
  a: &a { path: 'x.jsonl', fields: {question: {template: "{{ q }}: {{ '}' }}"}} }
  b: *a
rewards:
  rules: { m: { kind: match, pattern: "[({" } }
prompt:
  text: |
    {{ scene }} [
phases:
- {id: p, view: image, sources: [a, {data: b}], steps: 1}
`;
    for (let end = 0; end <= text.length; end++) {
      completions('curriculum', text.slice(0, end), end, '/nowhere/c.yaml');
      completions('curriculum', text, end, '/nowhere/c.yaml');
    }
  });

  it('offers the rules that the rewards give which the file names', () => {
    const read = (file: string) =>
      file === path.resolve('/lab/shared/rewards.yaml') ? 'rules:\n  brief: { kind: length }\n' : undefined;
    const shared = (marked: string) => {
      const text = `rewards: { file: shared/rewards.yaml, rules: { own: { kind: length } } }\n${marked}`;
      const offset = text.indexOf('‸');
      const found = completions(
        'curriculum',
        text.replace('‸', ''),
        offset,
        path.resolve('/lab/curriculum.yaml'),
        read,
      );
      return found.map(({ label }) => label);
    };
    assert.deepEqual(shared('phases:\n  - { rewards: { use: [‸] } }'), ['format', 'accuracy', 'own', 'brief']);
    assert.deepEqual(shared('phases:\n  - { rewards: { rules: { ‸ } } }'), ['own', 'brief']);
    const text = 'rewards:\n  file: shared/rewards.yaml\n  rules:\n    ';
    const beside = completions('curriculum', text, text.length, path.resolve('/lab/curriculum.yaml'), read);
    assert.ok(beside.some(({ label, snippet }) => label === 'brief' && snippet.startsWith('brief:')));
    const expression = 'rewards:\n  file: shared/rewards.yaml\n  rules: { own: { kind: score, expression: scores. } }';
    const inside = completions(
      'curriculum',
      expression,
      expression.indexOf('scores.') + 'scores.'.length,
      path.resolve('/lab/curriculum.yaml'),
      read,
    );
    assert.ok(inside.some(({ label }) => label === 'brief'));
  });
});
