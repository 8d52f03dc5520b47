import assert from 'node:assert/strict';
import { Random } from '../../src/protocol/random';
import { gradients } from '../../src/tensor/gradients';
import { Graph, type Value } from '../../src/tensor/graph';
import * as o from '../../src/tensor/ops';
import { Session } from '../../src/tensor/session';
import type { Tensor } from '../../src/tensor/tensor';

const cpu = { device: 'cpu', threads: 2 } as const;

/** Values away from 0, where square roots and quotients are tame. */
function filled(dims: readonly number[], seed: number): { dims: readonly number[]; data: Float32Array } {
  const random = new Random(seed);
  const n = dims.reduce((p, d) => p * d, 1);
  return { dims, data: Float32Array.from({ length: n }, () => 0.5 + random.uniform()) };
}

interface Case {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly f: (x: Readonly<Record<string, Value>>, g: Graph) => Value;
}

const cases: Readonly<Record<string, Case>> = {
  'add, broadcast': { inputs: { a: [2, 3], b: [3] }, f: ({ a, b }) => o.add(a!, b!) },
  'sub, broadcast': { inputs: { a: [2, 1, 3], b: [4, 1] }, f: ({ a, b }) => o.sub(a!, b!) },
  'mul, both broadcast': { inputs: { a: [2, 1], b: [1, 3] }, f: ({ a, b }) => o.mul(a!, b!) },
  div: { inputs: { a: [2, 3], b: [2, 3] }, f: ({ a, b }) => o.div(a!, b!) },
  'min and max': { inputs: { a: [5], b: [5] }, f: ({ a, b }) => o.add(o.min(a!, b!), o.mul(o.max(a!, b!), 3)) },
  'neg, exp, log': { inputs: { a: [5] }, f: ({ a }) => o.neg(o.exp(o.log(o.mul(a!, a!)))) },
  'sqrt, reciprocal': { inputs: { a: [5] }, f: ({ a }) => o.reciprocal(o.sqrt(a!)) },
  'sigmoid, tanh, erf': { inputs: { a: [5] }, f: ({ a }) => o.add(o.sigmoid(a!), o.mul(o.tanh(a!), o.erf(a!))) },
  'silu that gates': { inputs: { a: [5], b: [5] }, f: ({ a, b }) => o.mul(o.silu(a!), b!) },
  'silu that gates, and more': {
    inputs: { a: [5], b: [5] },
    f: ({ a, b }) => {
      const y = o.silu(a!);
      return o.add(o.mul(y, b!), o.mul(b!, o.exp(y)));
    },
  },
  'silu that gates all elements of a row': { inputs: { a: [3, 1], b: [3, 4] }, f: ({ a, b }) => o.mul(o.silu(a!), b!) },
  silu: { inputs: { a: [5] }, f: ({ a }) => o.silu(a!) },
  rotary: {
    inputs: { x: [3, 8] },
    f: ({ x }, g) => {
      const angles = Float32Array.from({ length: 6 }, (_, i) => 0.3 + i);
      const [cos, sin] = [g.constant(angles.map(Math.cos), [3, 2]), g.constant(angles.map(Math.sin), [3, 2])];
      return o.rotary(x!, { cos, sin: o.mul(sin, 0.5) });
    },
  },
  gelu: { inputs: { a: [5] }, f: ({ a }) => o.gelu(a!) },
  where: { inputs: { a: [5], b: [5] }, f: ({ a, b }) => o.where(o.greater(a!, 1), o.mul(a!, 3), b!) },
  linear: { inputs: { x: [4, 3], w: [5, 3], b: [5] }, f: ({ x, w, b }) => o.linear(x!, w!, b!) },
  'gemm, transposed': {
    inputs: { a: [3, 4], b: [5, 3] },
    f: ({ a, b }) => o.gemm(a!, b!, { transA: true, transB: true }),
  },
  'gemm, first transposed': { inputs: { a: [3, 4], b: [3, 5] }, f: ({ a, b }) => o.gemm(a!, b!, { transA: true }) },
  'matmul, broadcast': { inputs: { a: [2, 2, 3, 4], b: [2, 1, 4, 5] }, f: ({ a, b }) => o.matmul(a!, b!) },
  'softmax that weights, in another shape': {
    inputs: { a: [2, 2, 3, 4], v: [4, 4, 5] },
    f: ({ a, v }) => o.matmul(o.reshape(o.softmax(a!), [4, 3, 4]), v!),
  },
  'softmax that weights, and more': {
    inputs: { a: [2, 3, 4], v: [2, 4, 5] },
    f: ({ a, v }) => {
      const y = o.softmax(a!);
      return o.mul(o.matmul(y, v!), o.exp(o.reduceSum(o.mul(y, y), [-1])));
    },
  },
  softmax: { inputs: { a: [2, 4] }, f: ({ a }) => o.softmax(a!) },
  logSoftmax: { inputs: { a: [2, 4] }, f: ({ a }) => o.logSoftmax(a!) },
  'reduceSum, axes dropped': { inputs: { a: [2, 3, 4] }, f: ({ a }) => o.reduceSum(a!, [0, 2], false) },
  'reshape, transpose': { inputs: { a: [2, 6] }, f: ({ a }) => o.transpose(o.reshape(a!, [2, 3, 2]), [2, 0, 1]) },
  'concat, split': {
    inputs: { a: [2, 3], b: [2, 2] },
    f: ({ a, b }) => {
      const [x, y, z] = o.split(o.concat([a!, b!], 1), [1, 3, 1], 1);
      return o.mul(y!, o.add(x!, z!));
    },
  },
  'split, one part unused': { inputs: { a: [2, 5] }, f: ({ a }) => o.split(a!, [2, 3], 1)[1]! },
  'rows gathered twice': {
    inputs: { a: [4, 3] },
    f: ({ a }, g) => o.gatherRows(a!, g.constant(Int32Array.of(1, 3, 1, 1), [4])),
  },
  'last axis gathered': {
    inputs: { a: [2, 4] },
    f: ({ a }, g) => o.gatherLast(a!, g.constant(Int32Array.of(3, 1), [2, 1])),
  },
  'rows put in': {
    inputs: { a: [4, 3], b: [2, 3] },
    f: ({ a, b }, g) => o.putRows(a!, g.constant(BigInt64Array.of(2n, 0n), [2, 1]), b!),
  },
  expand: { inputs: { a: [2, 1] }, f: ({ a }) => o.expand(a!, [2, 3]) },
  rmsNorm: { inputs: { x: [3, 4], w: [4] }, f: ({ x, w }) => o.rmsNorm(x!, w!, 1e-6) },
};

describe('gradients', () => {
  for (const [name, { inputs, f }] of Object.entries(cases)) {
    it(`of ${name} are those of finite differences`, async () => {
      const g = new Graph();
      const xs = Object.fromEntries(Object.entries(inputs).map(([n, dims]) => [n, g.input(n, 'float32', dims)]));
      const y = f(xs, g);
      // weights that differ, so that errors do not cancel in the sum
      const n = y.dims.reduce<number>((p, d) => p * (d as number), 1);
      const weights = g.constant(
        Float32Array.from({ length: n }, (_, i) => Math.sin(i + 1)),
        y.dims as number[],
      );
      const loss = o.reduceSum(o.mul(y, weights), [...y.dims.keys()], false);
      g.output('loss', loss);
      for (const [x, dx] of gradients(loss, Object.values(xs))) g.output(`d${x.name}`, dx);
      const session = await Session.create(g, cpu);
      const feeds = new Map<string, Tensor>(Object.entries(inputs).map(([k, dims], i) => [k, filled(dims, i + 1)]));
      const out = await session.run(feeds);
      const step = 1e-2;
      for (const [k, { data }] of feeds) {
        const values = data as Float32Array;
        const grad = out.get(`d${k}`)?.data;
        assert.ok(grad, `no gradient of ${k}`);
        for (let i = 0; i < values.length; i++) {
          const x = values[i]!;
          const at = async (v: number): Promise<number> => {
            values[i] = v;
            return (await session.run(feeds)).get('loss')!.data[0]!;
          };
          const slope = ((await at(x + step)) - (await at(x - step))) / (Math.fround(x + step) - Math.fround(x - step));
          values[i] = x;
          assert.ok(
            Math.abs(grad[i]! - slope) < 5e-3 * (1 + Math.abs(slope)),
            `d${k}[${i}]: ${grad[i]}, by differences ${slope}`,
          );
        }
      }
      await session.dispose();
    });
  }

  it('name the operator that has no rule', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    const y = g.value('float32', [2]);
    g.node('Sin', [x], [y]);
    assert.throws(() => gradients(o.reduceSum(y, [0], false), [x]), /operator Sin has no gradient rule/);
  });

  it('do not pass where the gradient is stopped', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    const loss = o.reduceSum(o.mul(o.stopGradient(x), 2), [0], false);
    assert.equal(gradients(loss, [x]).size, 0);
  });

  for (const threads of [1, 2]) {
    const title = `of an embedding are exact with repeated tokens, on ${threads} of the runtime's threads, every time`;
    it(title, () => exactEmbedding(threads));
  }

  async function exactEmbedding(threads: number): Promise<void> {
    const [rows, width, n] = [64, 128, 4096];
    const g = new Graph();
    const table = g.input('table', 'float32', [rows, width]);
    const index = g.input('index', 'int32', ['n']);
    const weight = g.input('weight', 'float32', ['n', width]);
    const loss = o.reduceSum(o.mul(o.gatherRows(table, index), weight), [0, 1], false);
    g.output('d', gradients(loss, [table]).get(table)!);
    const random = new Random(3);
    const ids = Int32Array.from({ length: n }, () => random.below(rows / 4));
    // small integers: their sums are exact in float32, in any order
    const w = Float32Array.from({ length: n * width }, () => random.below(16));
    const expected = new Float32Array(rows * width);
    for (let i = 0; i < n; i++) for (let j = 0; j < width; j++) expected[ids[i]! * width + j]! += w[i * width + j]!;
    const session = await Session.create(g, { device: 'cpu', threads });
    const feeds = new Map<string, Tensor>([
      ['table', { dims: [rows, width], data: new Float32Array(rows * width) }],
      ['index', { dims: [n], data: ids }],
      ['weight', { dims: [n, width], data: w }],
    ]);
    for (let i = 0; i < 10; i++) assert.deepEqual((await session.run(feeds)).get('d')!.data, expected);
    await session.dispose();
  }
});
