import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Example } from '../../src/protocol/example';
import { type ScoreAlone, scoreAlone } from './alone';

const RULES = {
  format: { weight: 0.1, tags: ['think', 'answer'], pattern: '' },
  accuracy: { weight: 0.9, tag: 'answer' },
};

const example = (answer: string, more: Partial<Example> = {}): Example => ({
  id: '1',
  source: 'test',
  question: 'How many?',
  answer,
  answerKind: 'number',
  images: [],
  ...more,
});
const choose = (answer: string, ...choices: string[]) => example(answer, { answerKind: 'choice', choices });

const GOOD = '<think> 9 and 9 </think> <answer> 18 </answer>';

describe('rewards', () => {
  let score: ScoreAlone;
  before(async () => {
    score = await scoreAlone(RULES);
  });

  it('pay format and accuracy by their weights', () => {
    const { reward, outcome, answer, rules } = score(GOOD, example('18'), false);
    assert.deepEqual([reward, outcome, answer], [1, 'right', '18']);
    assert.equal(rules['format']?.why, 'The completion is <think> then <answer>, and nothing else.');
    assert.equal(rules['accuracy']?.why, '“18” equals the gold answer, 18.');
    assert.equal(score(GOOD, example('17'), false).reward, 0.1);
    assert.equal(score('<answer>18</answer>', example('18'), false).reward, 0.9);
    assert.equal(score('18', example('18'), false).reward, 0);
  });

  it('show what each rule matched', () => {
    const { rules } = score(GOOD, example('18'), false);
    const matched = (rule: string) => rules[rule]?.spans.map(({ start, end }) => GOOD.slice(start, end));
    assert.deepEqual(matched('accuracy'), ['18']);
    assert.deepEqual(matched('format'), ['<think> 9 and 9 </think>', '<answer> 18 </answer>']);
    const trailing = score(`${GOOD} bye`, example('18'), false).rules['format'];
    assert.deepEqual([trailing?.why, trailing?.spans], ['There is text after </answer>.', [{ start: 46, end: 50 }]]);
  });

  it('tell wrong from what cannot be graded', () => {
    const outcome = (answer: string, gold = '18') =>
      score(`<think>x</think><answer>${answer}</answer>`, example(gold), false).outcome;
    assert.equal(outcome('18.0'), 'right');
    assert.equal(outcome('17'), 'wrong');
    assert.equal(outcome('18 or 17'), 'wrong');
    assert.equal(outcome('eighteen'), 'ungradable');
    assert.equal(outcome(''), 'ungradable');
    assert.equal(score('I do not know', example('18'), false).outcome, 'ungradable');
  });

  it('never pay for a gold answer that cannot be read', () => {
    for (const said of ['many', '', '18', 'undefined']) {
      const { outcome, rules } = score(`<think>x</think><answer>${said}</answer>`, example('many'), false);
      assert.deepEqual([outcome, rules['accuracy']?.score], ['ungradable', 0]);
    }
  });

  it('cannot be asked where the gold answer was not recorded, as in a folder of another trainer', () => {
    const { accuracy } = score(GOOD, example(''), false).rules;
    assert.deepEqual([accuracy?.score, accuracy?.error], [0, 'not-recorded']);
  });

  it('never pay for an empty answer', () => {
    for (const empty of ['', ' ', '\n', '\\boxed{}', '$$', '.'])
      for (const gold of [example('18'), example('red', { answerKind: 'string' }), choose('A', 'x', 'y')]) {
        const { reward, outcome } = score(`<think>x</think><answer>${empty}</answer>`, gold, false);
        assert.ok(outcome === 'ungradable' && reward <= 0.1, JSON.stringify(empty));
      }
  });

  it('read one final answer only: the last', () => {
    const both = '<answer>18</answer> no, wait <answer>17</answer>';
    assert.equal(score(both, example('18'), false).outcome, 'wrong');
    assert.equal(score(both, example('17'), false).outcome, 'right');
    assert.equal(score('<answer>18</answer> no, wait <answer>17', example('18'), false).outcome, 'ungradable');
    assert.equal(score('the answer is 18 \\boxed{18}', example('18'), false).outcome, 'ungradable');
  });

  it('count exactly one option', () => {
    const outcome = (said: string) => score(`<answer>${said}</answer>`, choose('A', 'round', 'square'), false).outcome;
    assert.equal(outcome('A'), 'right');
    assert.equal(outcome('round'), 'right');
    assert.equal(outcome('A or B'), 'wrong');
    assert.equal(outcome('A. square'), 'wrong');
    assert.equal(outcome('Area'), 'ungradable');
  });

  describe('format', () => {
    const format = (completion: string, truncated = false, by = score) => {
      const { score: paid, why } = by(completion, example('18'), truncated).rules['format']!;
      return paid === 1 ? 'pays' : why;
    };

    it('asks for each element once, in order, with something in it, and nothing else', () => {
      assert.equal(format(GOOD), 'pays');
      assert.equal(format('<think>a</think><answer>b</answer>'), 'pays');
      assert.equal(format('\n<think>a\nb</think>\n\n<answer>\n18\n</answer>\n'), 'pays');
      assert.equal(format('<answer>18</answer>'), 'There is no <think>.');
      assert.equal(format('<think>a</think> 18'), 'There is no <answer>.');
      assert.equal(format('<think>a <answer>18</answer>'), 'There is no </think>.');
      assert.equal(format(`${GOOD}${GOOD}`), '<think> stands more than once.');
      assert.equal(format(`${GOOD} <answer>19</answer>`), '<answer> stands more than once.');
      assert.equal(format('<answer>18</answer><think>a</think>'), 'There is text between the beginning and <think>.');
      assert.equal(format('<think>a</answer></think><answer>18'), '</answer> comes before <answer>.');
      assert.equal(format('<think><answer>18</answer></think>'), '<answer> does not come after </think>.');
      assert.equal(format(`Sure! ${GOOD}`), 'There is text between the beginning and <think>.');
      assert.equal(format(`<think>a</think> so <answer>18</answer>`), 'There is text between </think> and <answer>.');
      assert.equal(format(`${GOOD}.`), 'There is text after </answer>.');
      assert.equal(format('<think> </think><answer>18</answer>'), '<think> is empty.');
      assert.equal(format('<think>a</think><answer></answer>'), '<answer> is empty.');
      assert.equal(format(''), 'There is no <think>.');
    });

    it('takes a completion with or without its end-of-turn token, but not one that was cut off', () => {
      for (const end of ['<|im_end|>', '<|endoftext|>\n', '</s>', ' <eos>'])
        assert.equal(format(GOOD + end), 'pays', end);
      assert.equal(format(`${GOOD}<|im_end|> and more`), 'There is text after </answer>.');
      assert.equal(format(GOOD, true), 'The completion was cut off at its token limit.');
    });

    it('may be other elements, or a pattern that the whole completion matches', async () => {
      const tags = await scoreAlone({ ...RULES, format: { ...RULES.format, tags: ['answer'] } });
      assert.equal(format('<answer>18</answer>', false, tags), 'pays');
      const pattern = await scoreAlone({ ...RULES, format: { ...RULES.format, pattern: 'a+|b' } });
      assert.equal(format('aaa', false, pattern), 'pays');
      assert.equal(format('aab', false, pattern), 'The completion does not match the pattern.');
    });

    it('ends a pattern that backtracks', async () => {
      const bomb = await scoreAlone({ ...RULES, format: { ...RULES.format, pattern: '(a+)+' } });
      assert.equal(format('aaa', false, bomb), 'pays');
      assert.equal(format(`${'a'.repeat(40)}b`, false, bomb), 'It takes more steps than a rule may.');
    });
  });

  it('grade an answer of a truncated completion where it is complete, and say so where it is not', () => {
    assert.equal(score(`${GOOD} and so`, example('18'), true).outcome, 'right');
    const { rules } = score('<think>a</think><answer>1', example('1'), true);
    assert.equal(
      rules['accuracy']?.why,
      'The last <answer> is not closed: the completion was cut off at its token limit.',
    );
  });

  it('a rule of weight 0 is scored and pays nothing', async () => {
    const free = await scoreAlone({ ...RULES, format: { ...RULES.format, weight: 0 } });
    const { reward, rules } = free(GOOD, example('18'), false);
    assert.deepEqual([reward, rules['format']?.score], [0.9, 1]);
  });

  // GSM8K's own solutions by real models, with the correctness its authors give
  it('agree with the published grades of real completions', function () {
    const file = path.join(process.env['TRIPHASE_DATA'] ?? '', 'gsm8k', 'example_model_solutions.first400.jsonl');
    if (process.env['TRIPHASE_DATA'] === undefined || !existsSync(file)) return this.skip();
    type Solution = { readonly is_correct: boolean; readonly solution: string };
    type Row = { readonly ground_truth: string } & Readonly<Record<string, Solution>>;
    const counts = { completions: 0, agree: 0 };
    const apart: string[] = [];
    const final = (text: string) => /A: (.*)$/.exec(text)?.[1] ?? '';
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const row = JSON.parse(line) as Row;
      for (const model of ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification']) {
        const { is_correct, solution } = row[model]!;
        const { outcome } = score(`<answer>${final(solution)}</answer>`, example(final(row.ground_truth)), false);
        counts.completions++;
        if ((outcome === 'right') === is_correct) counts.agree++;
        else
          apart.push(`gold ${final(row.ground_truth)}, said ${final(solution)}: ${outcome}, published ${is_correct}`);
      }
    }
    assert.ok(
      counts.completions === 1600 && counts.agree / counts.completions > 0.99,
      `${counts.agree} agree\n${apart.join('\n')}`,
    );
    if (apart.length > 0)
      console.log(`      ${counts.agree} of ${counts.completions} agree; apart: ${apart.join('; ')}`);
  });
});
