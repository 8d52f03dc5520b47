import assert from 'node:assert/strict';
import type { TokenFigures } from '../../../src/protocol/query';
import { Random } from '../../../src/protocol/random';
import { formulasIn, stepAt, traceSteps } from '../../../webview/trace/steps';
import { figuresOf, heatOf, nextUncertain, type TokenPiece, TokenPieces } from '../../../webview/trace/tokens';

const cut = (text: string): readonly string[] => traceSteps(text).map(({ start, end }) => text.slice(start, end));

describe('a completion in steps', () => {
  it('ends a step at sentences, lines and tags', () => {
    assert.deepEqual(cut('<think>First I add. Then 2.5 is left.\nSo it is 4.</think> <answer>4</answer>'), [
      '<think>',
      'First I add. ',
      'Then 2.5 is left.\n',
      'So it is 4.',
      '</think> ',
      '<answer>',
      '4',
      '</answer>',
    ]);
  });

  it('knows which elements a step stands in', () => {
    const steps = traceSteps('<think>a <b>c</b></think><answer>d</answer>');
    assert.deepEqual(
      steps.filter(({ kind }) => kind !== 'tag').map(({ within }) => within.join(' ')),
      ['think', 'think b', 'answer'],
    );
  });

  it('keeps formulas whole, and gives those that stand alone a step', () => {
    assert.deepEqual(cut('Let $a. b$ be so. Then\n$$x = 1. \ny = 2$$\nand \\boxed{\\frac{1}{2}. } ends.'), [
      'Let $a. b$ be so. ',
      'Then\n',
      '$$x = 1. \ny = 2$$\n',
      'and \\boxed{\\frac{1}{2}. } ends.',
    ]);
  });

  it('does not end a step after numbers of a list and abbreviations', () => {
    assert.deepEqual(cut('1. Take e.g. four. 2. Halve it.'), ['1. Take e.g. four. ', '2. Halve it.']);
  });

  it('cuts what goes on without a full stop between words, and what has no words somewhere', () => {
    const steps = cut(`${'and so on '.repeat(300)}$${'x+'.repeat(400)}y$ ${'😀'.repeat(1000)}`);
    assert.ok(steps.length > 5);
    const formula = steps.find(step => step.includes('$'));
    assert.equal(formula?.match(/\$/g)?.length, 2, 'a formula stays whole');
    for (const step of steps.filter(one => one !== formula)) {
      assert.ok(step.length <= 601, `${step.length}`);
      assert.doesNotMatch(step, /^[\udc00-\udfff]/);
    }
  });

  it('finds formulas in all their marks, and no prices', () => {
    const inner = (text: string) => formulasIn(text).map(formula => text.slice(formula.inner.start, formula.inner.end));
    assert.deepEqual(inner('$x$ \\(y\\) \\[z\\] $$w$$ \\boxed{v}'), ['x', 'y', 'z', 'w', '\\boxed{v}']);
    assert.deepEqual(inner('it costs $5 and $6 more'), []);
    assert.deepEqual(inner('\\boxed{never closed'), []);
  });

  it('covers any text without gap or overlap', () => {
    const random = new Random('steps');
    const parts = [
      '<think>',
      '</think>',
      '<a>',
      '. ',
      'word',
      '$',
      '$$',
      '\n',
      '\\boxed{',
      '}',
      '\\[',
      '\\]',
      ' ',
      '😀',
      '1.',
      '<',
    ];
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: random.below(40) }, () => random.pick(parts)).join('');
      const steps = traceSteps(text);
      if (text.trim() === '') continue;
      assert.equal(steps.map(({ start, end }) => text.slice(start, end)).join(''), text, JSON.stringify(text));
      for (const [n, { start }] of steps.entries()) assert.equal(stepAt(steps, start), n);
    }
  });
});

const tokenPieces = (tokens: Pick<TokenFigures, 'offsets'>, length: number): readonly (TokenPiece | undefined)[] => {
  const pieces = new TokenPieces(tokens, length);
  return Array.from({ length: pieces.length }, (_, i) => pieces.at(i));
};

describe('tokens of a completion', () => {
  const record = (offsets: readonly number[], more: Partial<TokenFigures> = {}): TokenFigures => ({
    ids: offsets.map((_, i) => i + 100),
    offsets,
    logprobs: null,
    trainLogprobs: null,
    refLogprobs: null,
    entropy: null,
    ...more,
  });

  it('are pieces of the text, the stop token an empty one behind it', () => {
    assert.deepEqual(tokenPieces(record([0, 2, 5, 7]), 7), [
      { first: 0, last: 0, start: 0, end: 2 },
      { first: 1, last: 1, start: 2, end: 5 },
      { first: 2, last: 2, start: 5, end: 7 },
      { first: 3, last: 3, start: 7, end: 7 },
    ]);
  });

  it('share a piece where one character takes several', () => {
    assert.deepEqual(tokenPieces(record([0, 1, 1, 1, 3]), 4), [
      { first: 0, last: 0, start: 0, end: 1 },
      { first: 1, last: 3, start: 1, end: 3 },
      { first: 4, last: 4, start: 3, end: 4 },
    ]);
  });

  it('are found by token and by place in the text', () => {
    const pieces = new TokenPieces(record([0, 1, 1, 1, 3, 4]), 4);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, -1].map(token => pieces.of(token)),
      [0, 1, 1, 1, 2, 3, undefined, undefined],
    );
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map(offset => pieces.firstFrom(offset)),
      [0, 1, 2, 2, 3, 4],
    );
    assert.deepEqual([pieces.startAt(2), pieces.startAt(4), pieces.at(4)], [3, 4, undefined]);
    assert.equal(new TokenPieces(record([]), 4).of(0), undefined);
  });

  it('say what was recorded and nothing else', () => {
    const all = figuresOf(record([0], { logprobs: [Math.log(0.25)], refLogprobs: [Math.log(0.5)], entropy: [1] }), 0);
    assert.equal(all.probability?.toFixed(6), '0.250000');
    assert.equal(all.logRatio?.toFixed(6), (-Math.LN2).toFixed(6));
    assert.equal(heatOf(all, 'probability')?.toFixed(2), '0.75');
    const none = figuresOf(record([0]), 0);
    assert.deepEqual([none.probability, none.logRatio, none.entropy], [null, null, null]);
    assert.equal(heatOf(none, 'entropy'), null);
    assert.deepEqual(tokenPieces({ offsets: null }, 3), []);
  });

  it('are uncertain below a half', () => {
    const tokens = record([0, 1, 2], { logprobs: [-0.1, -0.7, -0.2] });
    assert.equal(nextUncertain(tokens, 0), 1);
    assert.equal(nextUncertain(tokens, 2), undefined);
  });
});
