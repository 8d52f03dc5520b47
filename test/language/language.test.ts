import assert from 'node:assert/strict';
import path from 'node:path';
import { hover } from '../../src/language/hover';
import { type Problem, problems } from '../../src/language/problems';
import { placesOf, rename, renameTarget } from '../../src/language/rename';
import { type OutlineSymbol, symbols } from '../../src/language/symbols';
import { type TextEdit, YamlSource } from '../../src/language/yaml-source';

const edited = (text: string, edits: readonly TextEdit[]): string =>
  [...edits]
    .toSorted((a, b) => b.start - a.start)
    .reduce((before, { start, end, text: by }) => before.slice(0, start) + by + before.slice(end), text);

const CURRICULUM = `model: { path: base }
data:
  easy: { path: a.jsonl }
  hard: { path: b.jsonl, answer: number }
rewards:
  rules:
    brief: { kind: length, budget: 100, when: 'phase == "one"', tests: [{ completion: a b, score: 1 }] }
    both: { kind: score, expression: "scores.brief * scores['brief']" }
  combine: { by: gates, gates: [brief] }
phases:
  - { id: one, view: text, sources: [easy], steps: 1, rewards: { use: [brief], rules: { brief: { weight: 2 } } } }
  - { id: two, view: image, sources: [{ data: hard }, "easy"], steps: 2 }
evaluation: { data: [hard] }
`;

describe('the editor features of a curriculum', () => {
  const source = new YamlSource(CURRICULUM);
  const at = (what: string, inside = 1) => CURRICULUM.indexOf(what) + inside;

  it('tells what a key means, what may stand there and where its default comes from', () => {
    const found = hover('curriculum', source, at('budget: 100'));
    assert.match(found?.markdown ?? '', /rewards\.rules\.brief\.budget/);
    assert.match(found?.markdown ?? '', /Default: `1024`/);
    const view = hover('curriculum', source, at('view: text'));
    assert.match(view?.markdown ?? '', /`text` or `captioned` or `image`/);
    assert.equal(hover('curriculum', source, at('base }')) === undefined, false, 'a value tells of its key');
  });

  it('tells of data and rules where they are named', () => {
    assert.match(hover('curriculum', source, at('[hard] }', 2))?.markdown ?? '', /data hard.*b\.jsonl/s);
    assert.match(hover('curriculum', source, at('gates: [brief', 9))?.markdown ?? '', /rule brief.*length.*weight 1/s);
  });

  it('renames a rule everywhere, in expressions too', () => {
    const renamed = rename('curriculum', source, at('brief: { kind'), 'short');
    assert.ok('edits' in renamed);
    const text = edited(CURRICULUM, renamed.edits);
    assert.ok(!text.includes('brief'), text);
    assert.equal(text.match(/short/g)?.length, 6);
  });

  it('renames data and phases from any of their places, quotes kept', () => {
    const data = rename('curriculum', source, at('"easy"', 3), 'simple');
    assert.ok('edits' in data);
    const text = edited(CURRICULUM, data.edits);
    assert.ok(text.includes('simple: { path') && text.includes('[simple]') && text.includes('"simple"'), text);
    const phase = rename('curriculum', source, at('id: one', 5), 'first');
    assert.ok('edits' in phase);
    assert.ok(edited(CURRICULUM, phase.edits).includes(`'phase == "first"'`));
  });

  it('refuses a name that is taken, built in, or none', () => {
    const refusal = (offset: number, to: string) => {
      const renamed = rename('curriculum', source, offset, to);
      return 'refused' in renamed ? renamed.refused : undefined;
    };
    assert.match(refusal(at('easy: {'), 'hard') ?? '', /already a data 'hard'/);
    assert.match(refusal(at('brief: { kind'), 'no-dash') ?? '', /not a name/);
    const builtIn = new YamlSource('rewards: { format: { weight: 1 } }');
    assert.ok('refused' in renameTarget('curriculum', builtIn, 12));
    assert.ok('refused' in renameTarget('curriculum', source, 0));
  });

  it('goes from where a name is used to where it is given', () => {
    const [first, ...others] = placesOf('curriculum', source, at('data: hard', 7));
    assert.equal(first?.range.start, CURRICULUM.indexOf('hard: {'));
    assert.equal(others.length, 2);
  });

  it('outlines data, rules with their tests, and phases', () => {
    const outline = (items: readonly OutlineSymbol[]): unknown[] =>
      items.map(({ name, children }) => (children.length === 0 ? name : [name, outline(children)]));
    assert.deepEqual(outline(symbols('curriculum', source)), [
      'model',
      ['data', ['easy', 'hard']],
      ['rewards', [['brief', ['a b']], 'both']],
      ['phases', ['one', 'two']],
      'evaluation',
    ]);
    for (const { range, selection } of symbols('curriculum', source))
      assert.ok(range.start <= selection.start && selection.end <= range.end);
  });
});

describe('problems as one types', () => {
  const file = path.resolve('curriculum.yaml');
  const VALID = `model: { path: examples/shapes/base }
data: { d: { path: package.json } }
phases: [{ id: p, view: image, sources: [d], steps: 1 }]
`;
  const found = (text: string): readonly Problem[] => problems('curriculum', text, file);
  const mended = (text: string): string => {
    const [problem] = found(text);
    assert.ok(problem?.fix, `${text}: ${problem?.message} has no fix`);
    return edited(text, [problem.fix.edit]);
  };

  it('finds none in a file that is right', () => assert.deepEqual(found(VALID), []));

  it('marks a mistyped key and changes it to the nearest', () => {
    const text = VALID.replace('steps', 'setps');
    const [problem] = found(text);
    assert.equal(text.slice(problem?.range.start, problem?.range.end), 'setps');
    assert.equal(mended(text), VALID);
  });

  it('changes a value that is not allowed, and a name that nothing has', () => {
    assert.equal(mended(VALID.replace('image,', 'imge,')), VALID);
    assert.equal(mended(VALID.replace('[d]', '[dd]')), VALID);
    assert.equal(mended(VALID.replace('[d]', '["dd"]')), VALID.replace('[d]', '["d"]'));
  });

  it('adds a key that is missing', () => {
    assert.match(mended(VALID.replace('id: p, ', '')), /\[\{ id: "", view/);
    assert.match(mended(VALID.replace(/^model.*\n/, '')), /^model: \{\}\n/);
    const block = VALID.replace(
      '[{ id: p, view: image, sources: [d], steps: 1 }]',
      '\n  - id: p\n    view: image\n    sources: [d]',
    );
    assert.match(mended(block), /- steps: 1\n {4}id: p/);
  });

  it('is never outside the text, however much of it is cut off', () => {
    for (let end = 0; end <= VALID.length; end++)
      for (const { range, fix } of found(VALID.slice(0, end))) {
        assert.ok(range.start < range.end || end === 0, `${end}: ${JSON.stringify(range)}`);
        if (fix !== undefined) assert.ok(fix.edit.end <= end);
      }
  });

  it('checks a file of rewards by itself, with places of its own', () => {
    const rewards = 'format: { weight: 0.5 }\nrules:\n  brief: { kind: lenght }\n';
    const [problem, ...others] = problems('rewards', rewards, file);
    assert.deepEqual(others, []);
    assert.equal(rewards.slice(problem?.range.start, problem?.range.end), 'lenght');
    assert.equal(problem?.fix?.edit.text, 'length');
    assert.deepEqual(problems('rewards', rewards.replace('lenght', 'length'), file), []);
  });
});
