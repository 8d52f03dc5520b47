// Every row of the tables of docs/rewards.md, scored.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Example } from '../../src/protocol/example';
import { type ScoreAlone, scoreAlone } from '../reward/alone';

const text = readFileSync('docs/rewards.md', 'utf8');

/** The rows of the table whose header begins so, as cells. */
function rows(header: string): readonly (readonly string[])[] {
  const lines = text.slice(text.indexOf(`| ${header}`)).split('\n');
  const table = lines.slice(
    2,
    lines.findIndex(line => !line.startsWith('|')),
  );
  return table.map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  );
}

const example = (answer: string, more: Partial<Example> = {}): Example => ({
  id: '1',
  source: 'docs',
  question: 'Which?',
  answer,
  answerKind: 'number',
  images: [],
  ...more,
});

describe('docs/rewards.md', () => {
  let score: ScoreAlone;
  before(async () => {
    score = await scoreAlone({
      format: { weight: 0.1, tags: ['think', 'answer'], pattern: '' },
      accuracy: { weight: 0.9, tag: 'answer' },
    });
  });

  it('gives the format score of its completions', () => {
    const table = rows('completion');
    assert.ok(table.length >= 5);
    for (const [completion = '', expected] of table) {
      const scored = score(completion.replaceAll('`', ''), example('18'), false);
      assert.equal(String(scored.rules['format']?.score), expected, completion);
    }
  });

  it('gives the outcome of its answers', () => {
    const table = rows('kind');
    assert.ok(table.length >= 20);
    for (const [kind = '', gold = '', answer, outcome] of table) {
      const [, options] = /^choice of (.*)$/.exec(kind) ?? [];
      const asked =
        options === undefined
          ? example(gold, { answerKind: kind as 'number' | 'string' })
          : example(gold, { answerKind: 'choice', choices: options.split(', ') });
      const scored = score(`<think>so</think><answer>${answer}</answer>`, asked, false);
      assert.equal(scored.outcome, outcome, `${kind}: ${gold} and ${answer}: ${scored.rules['accuracy']?.why}`);
    }
  });
});
