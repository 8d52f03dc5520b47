import assert from 'node:assert/strict';
import { Random } from '../../src/protocol/random';
import {
  type AdvantageDistillation,
  type DifficultyWeighting,
  difficultyWeight,
  distillationChances,
  type ShapedGroup,
  shape,
} from '../../src/train/shapers';

const odsw = (stage: DifficultyWeighting['stage'], all_wrong = 0.25): DifficultyWeighting => ({
  kind: 'odsw',
  stage,
  all_wrong,
  low: 0.25,
  high: 0.75,
});
const pad: AdvantageDistillation = {
  kind: 'pad',
  low: 0.03,
  high: 0.97,
  priority: 'softmax',
  temperature: 1,
  final_temperature: 0.3,
  exponent: 1.5,
  share: 0.5,
  replacement: false,
};
const batch = (...groups: readonly (readonly [number, boolean][])[]): ShapedGroup[] =>
  groups.map(group => group.map(([advantage, right]) => ({ advantage, right, copies: 1 })));
const context = (progress = 0, seed = 1) => ({ progress, random: new Random(seed, 'shapers') });
const copies = (groups: readonly ShapedGroup[]): number[] => groups.flat().map(c => c.copies);
const near = (actual: readonly number[], expected: readonly number[], tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  actual.forEach((a, i) => assert.ok(Math.abs(a - expected[i]!) <= tolerance, `${a}, not ${expected[i]}`));
};

describe('ODSW', () => {
  // arXiv 2507.22607, the formulas of its three stages at shares of 1, 4, 10, 12 and 16 right of 16
  const shares = [0.0625, 0.25, 0.625, 0.75, 1];
  for (const [stage, expected] of [
    ['easy', [0.1951, Math.SQRT1_2, 1, 1, 1]],
    ['medium', [0.1951, Math.SQRT1_2, 0.9239, Math.SQRT1_2, 0]],
    ['hard', [1, 1, 0.9239, Math.SQRT1_2, 0]],
    ['binary', [0, 1, 1, 1, 0]],
  ] as const)
    it(`weighs a group of the ${stage} stage by its share of right answers`, () => {
      near(
        shares.map(s => difficultyWeight(s, odsw(stage))),
        expected,
        5e-5,
      );
    });

  it('weighs every advantage of a group alike, and groups without a right answer once more', () => {
    const [right = [], wrong = []] = shape(
      batch(
        [
          [1, true],
          [-1, false],
        ],
        [
          [2, false],
          [-2, false],
        ],
      ),
      [odsw('hard')],
      context(),
    );
    assert.deepEqual(
      right.map(c => c.advantage),
      [1, -1],
    );
    assert.deepEqual(
      wrong.map(c => c.advantage),
      [0.5, -0.5],
    );
  });
});

describe('PAD', () => {
  const sizes = [0, 0.02, 0.5, 0.9, 0.96, 1.2];
  const inside = (shaper: AdvantageDistillation, progress: number): readonly number[] => {
    const chances = distillationChances(sizes, shaper, progress)!;
    near([chances[0]!, chances[1]!, chances[5]!], [0, 0, 0], 0);
    return chances.slice(2, 5);
  };

  it('draws by the size of the advantage within the bounds, and the temperature falls over the phase', () => {
    near(inside(pad, 0), [0.2453, 0.366, 0.3886], 5e-5);
    near(inside(pad, 1), [0.1061, 0.4024, 0.4915], 5e-5);
    near(inside({ ...pad, priority: 'power' }, 0), [0.1646, 0.3975, 0.4379], 5e-5);
  });

  it('draws each completion at most once, and no more than there are', () => {
    const groups = batch(sizes.map((a, i): [number, boolean] => [i % 2 === 0 ? a : -a, true]));
    const all = copies(shape(groups, [{ ...pad, share: 1 }], context()));
    assert.deepEqual(all, [0, 0, 1, 1, 1, 0]);
    const some = copies(shape(groups, [{ ...pad, share: 1 / 3 }], context()));
    assert.equal(
      some.reduce((a, b) => a + b, 0),
      2,
    );
  });

  it('draws as many as asked with replacement, in proportion to the chances', () => {
    const groups = batch(sizes.map((a): [number, boolean] => [a, true]));
    const drawn = copies(shape(groups, [{ ...pad, priority: 'power', share: 2000, replacement: true }], context())).map(
      n => n / 12000,
    );
    near(drawn, [0, 0, 0.1646, 0.3975, 0.4379, 0], 0.015);
  });

  it('leaves a batch alone of which no advantage is within the bounds, and repeats from its seed', () => {
    const groups = batch([
      [0, true],
      [1.2, false],
    ]);
    assert.deepEqual(shape(groups, [pad], context()), groups);
    const many = batch(sizes.map((a): [number, boolean] => [a, true]));
    assert.deepEqual(shape(many, [pad], context(0, 3)), shape(many, [pad], context(0, 3)));
  });

  it('sees what the shapers before it left', () => {
    const groups = batch(
      [
        [0.5, true],
        [0.5, true],
      ],
      [
        [0.5, true],
        [-0.5, false],
      ],
    );
    // the group that is all right has weight 0 in the hard stage
    assert.deepEqual(copies(shape(groups, [odsw('hard'), { ...pad, share: 1 }], context())), [0, 0, 1, 1]);
  });
});
