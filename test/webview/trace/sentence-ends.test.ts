import assert from 'node:assert/strict';
import { Random } from '../../../src/protocol/random';
import { sentenceEnds } from '../../../webview/trace/sentence-ends';

const cut = (line: string): readonly string[] => {
  const ends = sentenceEnds(line);
  return ends.map((end, i) => line.slice(ends[i - 1] ?? 0, end));
};

describe('ends of sentences', () => {
  it('are found in any script', () => {
    assert.deepEqual(cut('One is odd. Is two? 2.5 is not (I say!). So it is.\n'), [
      'One is odd. ',
      'Is two? ',
      '2.5 is not (I say!). ',
      'So it is.\n',
    ]);
    assert.deepEqual(cut('二は偶数。三は奇数。'), ['二は偶数。', '三は奇数。']);
    assert.deepEqual(cut(''), []);
  });

  it('are those of Intl.Segmenter where they are found without it', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
    const random = new Random('sentences');
    // the semicolon is left out: whether a sentence goes on behind it changed between versions of Unicode
    const parts = 'a|B|1|.|.|!|?| | |\t|(|)|"|\'|[|{|-|:|,|$|\\|^|_|a b|<|>|=|\v|\u0001|B. C|`|*'.split('|');
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: random.below(14) }, () => random.pick(parts)).join('');
      const line = random.below(2) === 0 ? text : `${text}\n`;
      const ends = Array.from(segmenter.segment(line), ({ index, segment }) => index + segment.length);
      assert.deepEqual(sentenceEnds(line), ends, JSON.stringify(line));
    }
  });
});
