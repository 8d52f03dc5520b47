// One token of each completion, drawn where the logits are (device-sampling.ts): keys and values stay on the device and
// grow there. The decoding graph of graphs.ts is the one for the CPU, whose caches and draws are JavaScript's.

import { Graph, product, type Value } from '../tensor/graph';
import * as o from '../tensor/ops';
import type { ModelForm } from './adapter';
import * as d from './decoder';
import { type DeviceDraw, drawn } from './device-sampling';
import { Parameters } from './parameters';

/**
 * Outputs "drawn" [batch * group, 3 + 2 k] and the caches with the token's own in front, "next_k.N" and "next_v.N"
 * [batch, group, kvHeads, 1 + cache, headDim]; attention does not ask for an order. Inputs beside those of the decoding
 * graph are those of the draw (device-sampling.ts).
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
  graph.output('drawn', drawn(logits, text.vocabSize, draw));
  return graph;
}
