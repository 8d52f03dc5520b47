// Reverse-mode differentiation: one table "operator -> gradients of its inputs", and a walk. The shape of the table is
// that of tinygrad's mixin/gradient.py: pure rules of a line or a few each, broadcasting summed away in one place.

import { TriphaseError } from '../protocol/errors';
import type { Dim, Graph, Node, Value } from './graph';
import * as o from './ops';

/** From the gradients of a node's outputs to those of its inputs; undefined where there is none. */
type Rule = (node: Node, dys: readonly (Value | undefined)[]) => readonly (Value | undefined)[];

/** A rule for nodes of one output. */
const one =
  (rule: (dy: Value, y: Value, inputs: readonly Value[], node: Node) => readonly (Value | undefined)[]): Rule =>
  (node, [dy]) =>
    dy === undefined ? [] : rule(dy, node.outputs[0] as Value, node.inputs, node);

const a = (inputs: readonly Value[], i: number): Value => inputs[i] as Value;

/** The gradients of op(A) op(B), a product that is a Gemm or a MatMul. */
function ofProduct(multiply: typeof o.matmul, dy: Value, operands: readonly Value[], node: Node): [Value, Value] {
  const [A, B] = operands.slice(0, 2).map(again) as [Value, Value];
  const [tA, tB] = [node.attributes['transA'] === 1, node.attributes['transB'] === 1];
  return [
    tA ? multiply(B, dy, { transA: tB, transB: true }) : multiply(dy, B, { transB: !tB }),
    tB ? multiply(dy, A, { transA: true, transB: tA }) : multiply(A, dy, { transA: !tA }),
  ];
}

/** A value that is computed again where the graph would otherwise keep it for long: frozen weights, widened. */
function again(value: Value): Value {
  const node = value.graph.nodes.findLast(n => n.outputs.includes(value));
  if (node?.attributes['again'] !== 1) return value;
  const out = value.graph.value(value.type, value.dims);
  value.graph.node(node.op, node.inputs.map(again), [out], node.attributes);
  return out;
}

const rules: Readonly<Record<string, Rule>> = {
  Add: one(dy => [dy, dy]),
  Sub: one(dy => [dy, o.neg(dy)]),
  Mul: one((dy, _, x) => [o.mul(dy, a(x, 1)), o.mul(dy, a(x, 0))]),
  Div: one((dy, y, x) => [o.div(dy, a(x, 1)), o.neg(o.div(o.mul(dy, y), a(x, 1)))]),
  // at a tie the whole gradient goes to the first input; torch halves it. In GRPO ties stand where both branches are the
  // same function (ratio 1), and there the sum of the two is the same
  Min: one((dy, _, x) => masked(dy, o.lessOrEqual(a(x, 0), a(x, 1)))),
  Max: one((dy, _, x) => masked(dy, o.lessOrEqual(a(x, 1), a(x, 0)))),
  Neg: one(dy => [o.neg(dy)]),
  Exp: one((dy, y) => [o.mul(dy, y)]),
  Log: one((dy, _, x) => [o.div(dy, a(x, 0))]),
  Sqrt: one((dy, y) => [o.div(o.mul(dy, 0.5), y)]),
  Reciprocal: one((dy, y) => [o.neg(o.mul(dy, o.mul(y, y)))]),
  Sigmoid: one((dy, y) => [o.mul(dy, o.mul(y, o.sub(a1(y), y)))]),
  Tanh: one((dy, y) => [o.mul(dy, o.sub(a1(y), o.mul(y, y)))]),
  Erf: one((dy, _, x) => [o.mul(dy, o.mul(o.exp(o.neg(o.mul(a(x, 0), a(x, 0)))), 2 / Math.sqrt(Math.PI)))]),
  Identity: one((dy, _, __, node) => [node.attributes['stop'] === 1 ? undefined : dy]),
  Where: one((dy, _, x) => [undefined, ...masked(dy, a(x, 0))]),
  Cast: one((dy, _, x) => [a(x, 0).type === 'float32' ? dy : undefined]),
  Gemm: one((dy, _, x, node) => [...ofProduct(o.gemm, dy, x, node), x[2] === undefined ? undefined : dy]),
  MatMul: one((dy, _, x, node) => ofProduct(o.matmul, dy, x, node)),
  Softmax: one((dy, y) => {
    // y (dy - sum(dy y)); where y weights values, sum(dy y) is that of what comes out and its gradient, which are shorter
    const weighted = weightedSum(dy, y);
    if (weighted !== undefined) {
      const along = o.reduceSum(o.mul(weighted.dz, weighted.z), [-1]);
      return [o.mul(y, o.sub(dy, o.reshape(along, [...y.dims.slice(0, -1), 1])))];
    }
    const t = o.mul(dy, y);
    return [o.sub(t, o.mul(y, o.reduceSum(t, [-1])))];
  }),
  LogSoftmax: one((dy, y) => {
    const chosen = alone(dy);
    // one element a row has a gradient g: g at that element, less g softmax everywhere. Nothing is summed
    if (chosen !== undefined) return [o.addToLast(o.mul(o.exp(y), o.neg(chosen.values)), chosen.index, chosen.values)];
    return [o.sub(dy, o.mul(o.exp(y), o.reduceSum(dy, [-1])))];
  }),
  ReduceSum: one((dy, _, x, node) => [o.expand(kept(dy, node), a(x, 0).dims)]),
  Reshape: one((dy, _, x) => [o.reshape(dy, a(x, 0).dims)]),
  Transpose: one((dy, _, __, node) => {
    const perm = node.attributes['perm'] as readonly number[];
    return [
      o.transpose(
        dy,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ];
  }),
  Concat: one((dy, _, x, node) => {
    const axis = node.attributes['axis'] as number;
    return o.split(
      dy,
      x.map(v => v.dims[axis] as Dim),
      axis,
    );
  }),
  Split: (node, dys) => {
    const parts = node.outputs.map((y, i) => dys[i] ?? o.zerosLike(y));
    return [o.concat(parts, node.attributes['axis'] as number)];
  },
  Gather: one((dy, _, x) => [o.scatterAddRows(a(x, 0), a(x, 1), dy)]),
  GatherElements: one((dy, _, x) => [o.addToLast(o.zerosLike(a(x, 0)), a(x, 1), dy)]),
  // rows that were put in, and zeros where they went
  ScatterND: one((dy, _, x) => [
    o.putRows(dy, a(x, 1), o.zerosLike(a(x, 2))),
    undefined,
    o.gatherRows(dy, o.reshape(a(x, 1), [a(x, 1).dims[0] as Dim])),
  ]),
  Expand: one(dy => [dy]),
  // a rotation is undone by the opposite angle; a scale within cos and sin is its own transpose
  RotaryEmbedding: one((dy, _, x) => {
    const out = dy.graph.value('float32', dy.dims);
    dy.graph.node('RotaryEmbedding', [dy, a(x, 1), a(x, 2), o.neg(a(x, 3))], [out]);
    return [out];
  }),
  // d/dx of x r w with r = (mean(x^2) + eps)^(-1/2): dy w r - x r^3 mean(x dy w), and d/dw the sum of x dy r over rows;
  // both come from the product x dy, the sums as products with a vector: a sum over squares or rows takes two to four
  // times as long as its product (onnxruntime 1.30, CPU)
  SimplifiedLayerNormalization: (node, [dy]) => {
    if (dy === undefined) return [];
    const [x, weight] = node.inputs as [Value, Value];
    const n = weight.dims[0] as number;
    const rows = x.dims[0] as Dim;
    // the kernel's own second output would be r, but on WebGPU it is not (onnxruntime 1.30)
    const { float: epsilon } = node.attributes['epsilon'] as { readonly float: number };
    const r = o.reciprocal(o.sqrt(o.add(o.mul(o.reduceSum(o.mul(x, x), [-1]), 1 / n), epsilon)));
    const product = o.mul(x, dy);
    const mean = o.reshape(o.gemm(o.reshape(o.mul(weight, 1 / n), [1, n]), product, { transB: true }), [rows, 1]);
    const along = o.mul(x, o.mul(mean, o.mul(r, o.mul(r, r))));
    // the vector on the left: a product with one row reads the matrix as it lies
    return [o.sub(o.mul(o.mul(dy, weight), r), along), o.reshape(o.gemm(o.reshape(r, [1, rows]), product), [n])];
  },
  // x s with s = sigmoid(x), y the product: s + y (1 - s) = y + s (1 - y). s is computed again rather than kept
  QuickGelu: one((dy, y, x) => {
    const s = o.sigmoid(a(x, 0));
    const gated = gate(dy, y);
    // of z = y u the gradient of y is dz u, and dz u (y + s (1 - y)) = dz (z + s (u - z)): a product less
    if (gated !== undefined) return [o.mul(gated.dz, o.add(gated.z, o.mul(s, o.sub(gated.u, gated.z))))];
    return [o.mul(dy, o.add(y, o.mul(s, o.sub(a1(y), y))))];
  }),
};

/** Where a gradient came about by putting one element a row into zeros: that element. */
function alone(dy: Value): { readonly index: Value; readonly values: Value } | undefined {
  const node = maker(dy);
  if (node?.op !== 'ScatterElements' || node.attributes['axis'] !== 1) return undefined;
  const [base, index, values] = node.inputs as [Value, Value, Value];
  return maker(base)?.op === 'ConstantOfShape' ? { index, values } : undefined;
}

const maker = (value: Value): Node | undefined => value.graph.nodes.findLast(n => n.outputs.includes(value));

/** Where y gates, in z = y u, and nothing else: u, z and the gradient of z. */
function gate(dy: Value, y: Value): { readonly u: Value; readonly z: Value; readonly dz: Value } | undefined {
  const node = maker(dy);
  if (node?.op !== 'Mul') return undefined;
  const [dz, u] = node.inputs as [Value, Value];
  const z = y.graph.nodes.find(n => n.op === 'Mul' && n.inputs[0] === y && n.inputs[1] === u)?.outputs[0];
  return z !== undefined && sameDims(z, u) && sameDims(z, y) ? { u, z, dz } : undefined;
}

/** Where y are weights of rows v, in z = y v, and nothing else, maybe in another shape: z and its gradient. */
function weightedSum(dy: Value, y: Value): { readonly z: Value; readonly dz: Value } | undefined {
  const reshaped = maker(dy);
  const node = reshaped?.op === 'Reshape' ? maker(reshaped.inputs[0] as Value) : reshaped;
  if (node?.op !== 'MatMul' || node.attributes['transA'] === 1 || node.attributes['transB'] !== 1) return undefined;
  const [dz, v] = node.inputs as [Value, Value];
  const { nodes } = y.graph;
  const weights = [y, ...nodes.flatMap(n => (n.op === 'Reshape' && n.inputs[0] === y ? n.outputs : []))];
  const z = nodes.find(
    n =>
      n.op === 'MatMul' && n.attributes['transB'] !== 1 && weights.includes(n.inputs[0] as Value) && n.inputs[1] === v,
  )?.outputs[0];
  return z !== undefined && sameDims(z, dz) && y.dims.at(-1) === v.dims.at(-2) ? { z, dz } : undefined;
}

const sameDims = (x: Value, y: Value): boolean =>
  x.dims.length === y.dims.length && x.dims.every((d, i) => d === y.dims[i]);

const a1 = (like: Value): Value => like.graph.scalar(1);

/** dy where the condition holds, and where it does not. */
function masked(dy: Value, condition: Value): [Value, Value] {
  const zero = dy.graph.scalar(0);
  return [o.where(condition, dy, zero), o.where(condition, zero, dy)];
}

/** A reduced value with its axes of one element restored. */
function kept(x: Value, node: Node): Value {
  if (node.attributes['keepdims'] === 1) return x;
  const source = node.inputs[0] as Value;
  const axes = x.graph.constants.find(c => c.value === node.inputs[1])?.data;
  const at = new Set(Array.from(axes ?? [], Number));
  return o.reshape(
    x,
    source.dims.map((d, i) => (at.has(i) ? 1 : d)),
  );
}

/** The gradient summed over the axes along which the value was broadcast. */
function sumTo(dy: Value, dims: readonly Dim[]): Value {
  if (dy.dims.length === dims.length && dy.dims.every((d, i) => d === dims[i])) return dy;
  const lead = dy.dims.length - dims.length;
  const axes = dy.dims.flatMap((d, i) => (i < lead || (dims[i - lead] === 1 && d !== 1) ? [i] : []));
  return o.reshape(axes.length === 0 ? dy : o.reduceSum(dy, axes), dims);
}

/**
 * Adds to the graph the gradients of a scalar with respect to values of it.
 *
 * @param loss a float32 scalar
 * @param wanted values that the loss depends on (others get no entry)
 * @throws TriphaseError 'unsupported-operator' for an operator without a rule, naming it
 */
export function gradients(loss: Value, wanted: readonly Value[]): Map<Value, Value> {
  const graph: Graph = loss.graph;
  const forward = [...graph.nodes];
  const needed = new Set<Value>(wanted);
  for (const node of forward) {
    if (node.attributes['stop'] !== 1 && node.inputs.some(v => needed.has(v))) {
      for (const out of node.outputs) if (out.type === 'float32') needed.add(out);
    }
  }
  const grads = new Map<Value, Value>([[loss, graph.scalar(1)]]);
  for (const node of forward.reverse()) {
    const dys = node.outputs.map(y => grads.get(y));
    if (!dys.some(d => d !== undefined) || !node.outputs.some(y => needed.has(y))) continue;
    const rule = rules[node.op];
    if (rule === undefined)
      throw new TriphaseError(
        'unsupported-operator',
        `the operator ${node.op} has no gradient rule`,
        'Add a rule to the table in src/tensor/gradients.ts, or keep the operator out of what is trained.',
      );
    const before = graph.nodes.length;
    const dxs = rule(node, dys);
    node.inputs.forEach((x, i) => {
      const dx = dxs[i];
      if (dx === undefined || !needed.has(x)) return;
      const total = sumTo(dx, x.dims);
      const sofar = grads.get(x);
      grads.set(x, sofar === undefined ? total : o.add(sofar, total));
    });
    dropUnused(graph, before, grads);
  }
  return new Map(wanted.flatMap(v => (grads.has(v) ? [[v, grads.get(v) as Value] as const] : [])));
}

/** Removes nodes that a rule added for inputs that need no gradient. */
function dropUnused(graph: Graph, from: number, grads: ReadonlyMap<Value, Value>): void {
  const used = new Set(grads.values());
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= from; i--) {
    const node = graph.nodes[i] as Node;
    // shape vectors are shared through the graph and stay
    if (!node.outputs.some(y => used.has(y) || y.type === 'int64')) continue;
    for (const x of node.inputs) used.add(x);
    kept.push(node);
  }
  graph.nodes.length = from;
  graph.nodes.push(...kept.reverse());
}
