import assert from 'node:assert/strict';
import { checkShown, mismatches } from '../../src/evaluate/conditions';
import { languageBias } from '../../src/evaluate/evaluate';
import { wilson } from '../../src/evaluate/interval';
import type { ConditionResult } from '../../src/protocol/evaluation';
import type { Example } from '../../src/protocol/example';

const example = (id: number, image: string): Example => ({
  id: String(id),
  source: 's',
  question: 'q',
  answer: '1',
  answerKind: 'number',
  images: [image],
});

describe('wilson', () => {
  it('gives published intervals', () => {
    // Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [right, n, low, high] of published) {
      const [a, b] = wilson(right, n);
      assert.ok(Math.abs(a - low) < 6e-5 && Math.abs(b - high) < 6e-5, `${right}/${n}: ${a}, ${b}`);
    }
  });
});

describe('mismatches', () => {
  it('give every example the image of another, the same ones for a seed', () => {
    const examples = Array.from({ length: 9 }, (_, i) => example(i, `${i % 3}.png`));
    const strangers = mismatches(examples, 1);
    strangers.forEach((s, i) => assert.ok(s !== undefined && s.images[0] !== examples[i]!.images[0]));
    assert.deepEqual(mismatches(examples, 1), strangers);
  });

  it('are undefined where there is only one image', () => {
    assert.deepEqual(mismatches([example(0, 'a.png'), example(1, 'a.png')], 1), [undefined, undefined]);
  });
});

describe('checkShown', () => {
  it('refuses a source that no condition can show, and takes words in the condition for them', () => {
    const words = { ...example(0, ''), source: 'words', images: [] };
    const mixed = [example(1, 'a.png'), words];
    assert.throws(() => checkShown(mixed, ['image', 'question']), /no example of words can be evaluated/);
    assert.doesNotThrow(() => checkShown(mixed, ['image', 'text']));
  });
});

describe('languageBias', () => {
  const result = (condition: ConditionResult['condition'], accuracy: number): ConditionResult => ({
    condition,
    n: 10,
    right: accuracy * 10,
    ungradable: 0,
    accuracy,
    interval: [0, 1],
    formatRate: 1,
    majority: 0.1,
  });

  it('is question-only over image-only accuracy; caption dependence is what the caption adds', () => {
    const bias = languageBias([result('image', 0.5), result('question', 0.1), result('image_caption', 0.8)]);
    assert.ok(Math.abs(bias.bias! - 0.2) < 1e-12 && Math.abs(bias.captionDependence! - 0.3) < 1e-12);
  });

  it('makes nothing up for conditions that were not evaluated', () => {
    assert.deepEqual(languageBias([result('image', 0)]), {});
  });
});
