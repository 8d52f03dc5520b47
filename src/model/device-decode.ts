// One token of each completion, drawn where the logits are: keys and values stay on the device and grow there, and what
// crosses the bus is a token, its figures and the most likely others. The decoding graph of graphs.ts is the one for the
// CPU, whose caches and draws are JavaScript's.

import { type Dim, Graph, product, type Value } from '../tensor/graph';
import * as o from '../tensor/ops';
import type { ModelForm } from './adapter';
import * as d from './decoder';
import { Parameters } from './parameters';

export interface DeviceDraw {
  /** The most likely token, instead of one that is drawn. */
  readonly greedy: boolean;
  /** The k most likely tokens are told too. */
  readonly alternatives: number;
}

/** What a row of "drawn" begins with; then k tokens, and their k log-probabilities. */
export const drawnColumns = ['token', 'logProb', 'entropy'] as const;

/**
 * Outputs "drawn" [batch * group, 3 + 2 k] and the caches with the token's own in front, "next_k.N" and "next_v.N"
 * [batch, group, kvHeads, 1 + cache, headDim]; attention does not ask for an order. Inputs beside those of the decoding
 * graph: "uniform" [batch * group, 1] in [0, 1); "forced" of the same shape, a token or -1; "first_blocks" [batch * group],
 * where the blocks of a row begin (`blocksOf`).
 */
export function deviceDecodeGraph(config: ModelForm, draw: DeviceDraw): Graph {
  const { text } = config;
  const { kvHeads: kv, headDim } = text;
  const graph = new Graph();
  const p = new Parameters(graph, config);
  const rows = product('batch', 'group') as string;
  const ids = o.reshape(graph.input('ids', 'int32', ['batch', 'group']), [rows]);
  const rotary = {
    cos: graph.input('cos', 'float32', [rows, headDim / 2]),
    sin: graph.input('sin', 'float32', [rows, headDim / 2]),
  };
  const bias = graph.input('decode_bias', 'float32', ['batch', 1, 1, 1, o.sum('prompt', 'cache', 1)]);
  const shared = (name: string): Value =>
    o.reshape(graph.input(name, 'float32', ['batch', kv, 'prompt', headDim]), ['batch', 1, kv, 'prompt', headDim]);
  const own = (name: string): Value => graph.input(name, 'float32', ['batch', 'group', kv, 'cache', headDim]);
  let x = p.rows('model.language_model.embed_tokens.weight', ids);
  for (let i = 0; i < text.layers; i++) {
    const normed = d.attentionNorm(p, text, i, x);
    const fresh = d.keysAndValues(p, i, normed, rotary);
    const cache: d.DecodeCache = {
      prompts: { k: shared(`k.${i}`), v: shared(`v.${i}`) },
      own: { k: own(`own_k.${i}`), v: own(`own_v.${i}`) },
      fresh,
    };
    for (const part of ['k', 'v'] as const) {
      const one = o.reshape(fresh[part], ['batch', 'group', kv, 1, headDim]);
      graph.output(`next_${part}.${i}`, o.concat([one, cache.own[part]], 3));
    }
    const attended = d.decodeAttention(d.queries(p, text, i, normed, rotary), cache, bias, text);
    x = d.afterAttention(p, text, i, x, attended);
  }
  const logits = d.head(p, text, config.tied, x);
  graph.output('drawn', drawn(o.mul(logits, graph.input('inverse_temperature', 'float32', [])), text.vocabSize, draw));
  return graph;
}

/** How a vocabulary is cut for the sum of its probabilities: blocks of a width, both about its square root. */
export function blocksOf(vocabulary: number): { readonly count: number; readonly width: number } {
  const width = Math.ceil(Math.sqrt(vocabulary));
  return { count: Math.ceil(vocabulary / width), width };
}

/** @param scores [rows, vocab] @returns [rows, 3 + 2 k] */
function drawn(scores: Value, vocabulary: number, { greedy, alternatives }: DeviceDraw): Value {
  const { graph } = scores;
  const rows = scores.dims[0] as Dim;
  const column = (name: string): Value => graph.input(name, 'float32', [rows, 1]);
  const below = o.sub(scores, o.reduceMax(scores, [-1]));
  const weights = o.exp(below);
  const total = o.reduceSum(weights, [-1]);
  const places = numbers(graph, vocabulary);
  const free = greedy ? firstGreatest(below, places) : drawnBy(weights, column('uniform'), vocabulary);
  const forced = column('forced');
  const token = o.where(o.less(forced, 0), free, forced);
  const logTotal = o.log(total);
  const logProb = o.sub(o.gatherLast(below, o.cast(token, 'int32')), logTotal);
  // a weight that has vanished counts for nothing, however small its logarithm
  const weighted = o.where(o.greater(weights, 0), o.mul(weights, below), graph.scalar(0));
  const entropy = o.sub(logTotal, o.div(o.reduceSum(weighted, [-1]), total));
  const tokens: Value[] = [];
  const logProbs: Value[] = [];
  let left = below;
  for (let i = 0; i < alternatives; i++) {
    const best = firstGreatest(left, places);
    tokens.push(best);
    logProbs.push(o.sub(o.gatherLast(below, o.cast(best, 'int32')), logTotal));
    left = o.where(o.less(o.mul(o.sub(places, best), o.sub(places, best)), 0.5), graph.scalar(-3e38), left);
  }
  return o.concat([token, logProb, entropy, ...tokens, ...logProbs], 1);
}

/** 0 to n - 1, [1, n]: tokens as float32, which holds each of them. */
const numbers = (graph: Graph, n: number): Value =>
  graph.constant(
    Float32Array.from({ length: n }, (_, i) => i),
    [1, n],
  );

/** The place of the greatest of each row, of equal ones the first: [rows, 1]. */
function firstGreatest(x: Value, places: Value): Value {
  const most = o.reduceMax(x, [-1]);
  return o.reduceMin(o.where(o.lessOrEqual(most, x), places, x.graph.scalar(2 ** 30)), [-1]);
}

/**
 * The place at which the running sum of a row passes a share of its sum. By block and then within one: a running sum over
 * a whole vocabulary would be one long chain.
 */
function drawnBy(weights: Value, uniform: Value, vocabulary: number): Value {
  const { graph } = weights;
  const rows = weights.dims[0] as Dim;
  const { count, width } = blocksOf(vocabulary);
  const empty = count * width - vocabulary;
  const zeros = (): Value => o.expand(graph.scalar(0), [rows, empty]);
  const all = empty === 0 ? weights : o.concat([weights, zeros()], 1);
  const sums = o.reshape(o.reduceSum(o.reshape(all, [rows, count, width]), [2]), [rows, count]);
  const share = o.mul(uniform, o.reduceSum(sums, [-1]));
  const block = passes(sums, share, count);
  const before = o.sub(o.gatherLast(runningSum(sums, count), block), o.gatherLast(sums, block));
  const first = graph.input('first_blocks', 'int32', [rows]);
  const blocks = o.reshape(all, [o.product(rows, count), width]);
  const chosen = o.gatherRows(blocks, o.add(first, o.reshape(block, [rows])));
  const within = passes(chosen, o.sub(share, before), width);
  return o.add(o.mul(o.cast(block, 'float32'), width), o.cast(within, 'float32'));
}

/** How many running sums of a row [rows, n] do not pass `share`; at most the place of the last that is not empty. */
function passes(x: Value, share: Value, n: number): Value {
  const not = o.cast(o.lessOrEqual(runningSum(x, n), share), 'float32');
  // rounding may leave a remainder at the end, where nothing may be drawn
  const last = o.reduceMax(o.where(o.greater(x, 0), numbers(x.graph, n), x.graph.scalar(0)), [-1]);
  return o.cast(o.min(o.reduceSum(not, [-1]), last), 'int32');
}

/** By a product with a triangle of ones: the runtime's CumSum adds anew for every place. */
function runningSum(x: Value, n: number): Value {
  const triangle = Float32Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) <= i % n ? 1 : 0));
  return o.matmul(x, x.graph.constant(triangle, [n, n]));
}
