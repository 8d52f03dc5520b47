import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Random } from '../../src/protocol/random';
import { drawWarped, mostLikely } from '../../src/rollout/sampling';
import { type Warping, warp, warps } from '../../src/rollout/warping';

/** What test/reference/make_warping.py wrote; null where a token may not be drawn. */
interface Case {
  readonly warping: Warping;
  readonly logits: readonly number[];
  readonly seen: readonly number[];
  readonly scores: readonly (number | null)[];
}

const cases = JSON.parse(readFileSync('test/reference/warping.json', 'utf8')) as readonly Case[];

const softmax = (scores: ArrayLike<number>): number[] => {
  const e = Array.from(scores, Math.exp);
  return e.map(x => x / e.reduce((a, b) => a + b));
};

describe('warping', () => {
  it("is that of transformers' logits processors", () => {
    for (const { warping, logits, seen, scores } of cases) {
      const warped = warp(Float32Array.from(logits), seen, warping);
      const at = JSON.stringify(warping);
      assert.deepEqual(
        Array.from(warped, x => x > Number.NEGATIVE_INFINITY),
        scores.map(x => x !== null),
        at,
      );
      scores.forEach((x, i) => {
        if (x !== null) assert.ok(Math.abs((warped[i] as number) - x) <= 1e-6 * Math.max(1, Math.abs(x)), at);
      });
    }
  });

  it('changes nothing by default', () => {
    assert.equal(warps({ temperature: 0.7 }), false);
    assert.equal(warps({ temperature: 0.7, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 }), false);
    // greedy looks at the penalty only
    assert.equal(warps({ temperature: 0, topK: 5, topP: 0.5 }), false);
    assert.equal(warps({ temperature: 0, repetitionPenalty: 1.1 }), true);
  });

  it('keeps the likeliest of a large vocabulary, as sorting all of it would', () => {
    const random = new Random(5);
    const logits = Float32Array.from({ length: 20_000 }, () => 3 * random.normal());
    const byProbability = [...softmax(logits).entries()].sort(([, a], [, b]) => b - a);
    for (const topP of [0.01, 0.3, 0.9, 0.999]) {
      const kept = warp(logits, [], { temperature: 1, topP }).filter(x => x > Number.NEGATIVE_INFINITY).length;
      let mass = 0;
      let expected = 0;
      // as many as it takes to reach p
      while (mass < topP) mass += byProbability[expected++]?.[1] ?? 1;
      assert.equal(kept, expected, `${topP}`);
    }
  });
});

describe('drawing from a warped distribution', () => {
  const logits = Float32Array.of(1, 3, 2, -1, 2.5);
  const warping = { temperature: 2, topK: 3 };
  const draw = (reported: 'plain' | 'warped', uniform: number, forced?: number) =>
    drawWarped(logits, 0, 5, [], warping, reported, uniform, forced);

  it('draws only what is kept, as often as it is likely', () => {
    const n = 20_000;
    const random = new Random(1);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) counts[draw('plain', random.uniform()).token]!++;
    softmax(warp(logits, [], warping)).forEach((p, i) => {
      assert.ok(Math.abs(counts[i]! / n - p) <= 4 * Math.sqrt((p * (1 - p)) / n), `${i}`);
    });
    assert.equal(draw('plain', 1 - 2 ** -53).token, 4, 'never what is not kept, by rounding');
  });

  it('reports the distribution that is trained, or the one that is drawn from', () => {
    const plain = softmax(logits.map(x => x / 2));
    const warped = softmax(warp(logits, [], warping));
    for (const [reported, p] of [
      ['plain', plain],
      ['warped', warped],
    ] as const) {
      const { token, logProb, entropy } = draw(reported, 0.4);
      assert.ok(Math.abs(logProb - Math.log(p[token]!)) < 1e-6);
      assert.ok(Math.abs(entropy + p.reduce((s, x) => s + (x === 0 ? 0 : x * Math.log(x)), 0)) < 1e-6);
    }
    assert.equal(draw('warped', 0.4, 3).logProb, Number.NEGATIVE_INFINITY, 'what is forced may be what is not kept');
    assert.ok(Math.abs(draw('plain', 0.4, 3).logProb - Math.log(plain[3]!)) < 1e-6);
  });

  it('names the most likely tokens, in order', () => {
    const p = softmax(logits);
    const best = mostLikely(logits, 3);
    assert.deepEqual(
      best.map(a => a.token),
      [1, 4, 2],
    );
    for (const { token, logProb } of best) assert.ok(Math.abs(logProb - Math.log(p[token]!)) < 1e-6);
    assert.deepEqual(
      mostLikely(Float32Array.of(1, 2, 2, Number.NEGATIVE_INFINITY), 9).map(a => a.token),
      [1, 2, 0],
    );
  });
});
