// The graphs that a model runs as: image features, prefill, one decoding step, and the logits of completions, on which
// losses stand. A group of completions shares its prompt: prompts lie in one stretch of rows, completions in another.
//
// The last token of a prompt is the first input of its completions. Prefill then needs no head, and every step of
// decoding is the same: the token before in, the logits of the next one out.

import { Graph, product, type Value } from '../tensor/graph';
import * as o from '../tensor/ops';
import type { ModelConfig } from './config';
import * as d from './decoder';
import { Parameters } from './parameters';
import { visionInputs, visionTower } from './vision';
import { parameterShapes } from './weights';

/** pixels of images -> "image_features" [features, hidden]. */
export function imageFeaturesGraph(config: ModelConfig): Graph {
  const graph = new Graph();
  const p = new Parameters(graph, parameterShapes(config));
  graph.output('image_features', visionTower(p, config.vision, visionInputs(graph, config.vision)));
  return graph;
}

/** Token embeddings [rows, hidden], with image features in place of image tokens. */
function embed(p: Parameters, ids: Value, features: Value | undefined): Value {
  const x = o.gatherRows(p.get('model.language_model.embed_tokens.weight'), ids);
  if (features === undefined) return x;
  const rows = ids.graph.input('image_rows', 'int32', ['features']);
  return o.putRows(x, o.reshape(o.cast(rows, 'int64'), ['features', 1]), features);
}

const rotaryInputs = (graph: Graph, rows: string, headDim: number): o.Rotary => ({
  cos: graph.input('cos', 'float32', [rows, headDim / 2]),
  sin: graph.input('sin', 'float32', [rows, headDim / 2]),
});

/**
 * Prompts without their last token -> keys "k.N" [batch, kvHeads, headDim, prompt] and values "v.N"
 * [batch, kvHeads, prompt, headDim] of every layer N; where asked, also "logits" [batch * prompt, vocab].
 */
export function prefillGraph(config: ModelConfig, images: boolean, logits = false): Graph {
  const { text } = config;
  const graph = new Graph();
  const p = new Parameters(graph, parameterShapes(config));
  const shape = { batch: 'batch', length: 'prompt' };
  const rows = product('batch', 'prompt') as string;
  const ids = o.reshape(graph.input('prompt_ids', 'int32', ['batch', 'prompt']), [rows]);
  const rotary = rotaryInputs(graph, rows, text.headDim);
  const causal = graph.input('prompt_causal', 'float32', ['prompt', 'prompt']);
  const features = images ? graph.input('image_features', 'float32', ['features', text.hiddenSize]) : undefined;
  let x = embed(p, ids, features);
  for (let i = 0; i < text.layers; i++) {
    const normed = d.attentionNorm(p, text, i, x);
    const { k, v } = d.keysAndValues(p, i, normed, rotary);
    graph.output(`k.${i}`, d.promptKeys(k, text, shape));
    graph.output(`v.${i}`, d.promptValues(v, text, shape));
    if (i === text.layers - 1 && !logits) break;
    const q = d.queries(p, text, i, normed, rotary);
    x = d.afterAttention(p, text, i, x, d.promptAttention(q, k, v, causal, text, shape));
  }
  if (logits) graph.output('logits', d.head(p, text, config.tied, x));
  return graph;
}

/**
 * One token a sample -> "logits" [batch * group, vocab], and the token's own keys "k.N" and values "v.N"
 * [batch, kvHeads, group, headDim]. The caches are inputs and are not returned: prompt keys and values as prefill gives
 * them ("prompt_k.N", "prompt_v.N"), those of earlier tokens with room for `cache` tokens ("own_k.N"
 * [batch, kvHeads, group, headDim, cache], "own_v.N" [batch, kvHeads, group, cache, headDim]).
 */
export function decodeGraph(config: ModelConfig): Graph {
  const { text } = config;
  const { kvHeads: kv, headDim } = text;
  const graph = new Graph();
  const p = new Parameters(graph, parameterShapes(config));
  const shape = { batch: 'batch', group: 'group', length: 1 };
  const rows = product('batch', 'group') as string;
  const ids = o.reshape(graph.input('ids', 'int32', ['batch', 'group']), [rows]);
  const rotary = rotaryInputs(graph, rows, headDim);
  const bias = graph.input('decode_bias', 'float32', ['batch', 1, 1, o.sum('prompt', 'cache', 1)]);
  let x = embed(p, ids, undefined);
  for (let i = 0; i < text.layers; i++) {
    const normed = d.attentionNorm(p, text, i, x);
    const { k, v } = d.keysAndValues(p, i, normed, rotary);
    const newKeys = d.ofOneToken(k, text, 'batch', 'group');
    const newValues = d.ofOneToken(v, text, 'batch', 'group');
    graph.output(`k.${i}`, newKeys);
    graph.output(`v.${i}`, newValues);
    const stretches: d.Stretch[] = [
      {
        kind: 'shared',
        keys: graph.input(`prompt_k.${i}`, 'float32', ['batch', kv, headDim, 'prompt']),
        values: graph.input(`prompt_v.${i}`, 'float32', ['batch', kv, 'prompt', headDim]),
        length: 'prompt',
      },
      {
        kind: 'own',
        keys: graph.input(`own_k.${i}`, 'float32', ['batch', kv, 'group', headDim, 'cache']),
        values: graph.input(`own_v.${i}`, 'float32', ['batch', kv, 'group', 'cache', headDim]),
        length: 'cache',
      },
      {
        kind: 'own',
        keys: o.reshape(newKeys, ['batch', kv, 'group', headDim, 1]),
        values: o.reshape(newValues, ['batch', kv, 'group', 1, headDim]),
        length: 1,
      },
    ];
    const q = d.queries(p, text, i, normed, rotary);
    x = d.afterAttention(p, text, i, x, d.completionAttention(q, stretches, bias, text, shape));
  }
  graph.output('logits', d.head(p, text, config.tied, x));
  return graph;
}

/** How images come into the graph of completions: not at all, as features, or as pixels through the vision tower. */
export type ImageInput = 'none' | 'features' | 'pixels';

export interface CompletionGraph {
  readonly graph: Graph;
  readonly parameters: Parameters;
  /** [batch * completion * group, vocab]: row (b, g, t) has the logits of the token after completion input t. */
  readonly logits: Value;
  /** [batch * completion * group, hidden]: what the head reads, before its norm. */
  readonly hidden: Value;
}

/** The logits of whole completions after their prompts; the graph of training and of scoring. */
export function completionGraph(config: ModelConfig, images: ImageInput): CompletionGraph {
  const { text } = config;
  const graph = new Graph();
  const p = new Parameters(graph, parameterShapes(config));
  const prompts = { batch: 'batch', length: 'prompt' };
  const completions = { batch: 'batch', group: 'group', length: 'completion' };
  const promptRows = product('batch', 'prompt') as string;
  const completionRows = product('batch', 'group', 'completion') as string;
  const rows = o.sum(promptRows, completionRows) as string;
  const promptIds = graph.input('prompt_ids', 'int32', ['batch', 'prompt']);
  const completionIds = graph.input('completion_ids', 'int32', ['batch', 'group', 'completion']);
  const rotary = rotaryInputs(graph, rows, text.headDim);
  const causal = graph.input('prompt_causal', 'float32', ['prompt', 'prompt']);
  const bias = graph.input('completion_bias', 'float32', ['batch', 1, 1, 'completion', o.sum('prompt', 'completion')]);
  const parts = (x: Value): [Value, Value] => o.split(x, [promptRows, completionRows], 0) as [Value, Value];

  const ids = o.concat([o.reshape(promptIds, [promptRows]), o.reshape(completionIds, [completionRows])], 0);
  const features =
    images === 'none'
      ? undefined
      : images === 'features'
        ? graph.input('image_features', 'float32', ['features', text.hiddenSize])
        : visionTower(p, config.vision, visionInputs(graph, config.vision));
  const [, completionCos] = parts(rotary.cos);
  const [, completionSin] = parts(rotary.sin);
  let x = embed(p, ids, features);
  for (let i = 0; i < text.layers; i++) {
    const last = i === text.layers - 1;
    const normed = d.attentionNorm(p, text, i, x);
    const { k, v } = d.keysAndValues(p, i, normed, rotary);
    const [promptK, ownK] = parts(k);
    const [promptV, ownV] = parts(v);
    const stretches: d.Stretch[] = [
      {
        kind: 'shared',
        keys: d.promptKeys(promptK, text, prompts),
        values: d.promptValues(promptV, text, prompts),
        length: 'prompt',
      },
      {
        kind: 'own',
        keys: d.completionKeys(ownK, text, completions),
        values: d.completionValues(ownV, text, completions),
        length: 'completion',
      },
    ];
    if (last) {
      // after the last keys and values, prompts have no more to say
      const q = d.queries(p, text, i, parts(normed)[1], { cos: completionCos, sin: completionSin });
      const attended = d.completionAttention(q, stretches, bias, text, completions);
      x = d.afterAttention(p, text, i, parts(x)[1], attended);
    } else {
      const [promptQ, ownQ] = parts(d.queries(p, text, i, normed, rotary));
      const attended = o.concat(
        [
          d.promptAttention(promptQ, promptK, promptV, causal, text, prompts),
          d.completionAttention(ownQ, stretches, bias, text, completions),
        ],
        0,
      );
      x = d.afterAttention(p, text, i, x, attended);
    }
  }
  return { graph, parameters: p, logits: d.head(p, text, config.tied, x), hidden: x };
}
