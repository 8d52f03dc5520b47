// The language model of Qwen2.5-VL as graph pieces (transformers' modeling_qwen2_5_vl.py: Qwen2_5_VLDecoderLayer).
// Tokens of all sequences lie in one matrix [rows, hidden]; only attention knows which row belongs to which sequence.

import { type Dim, product, type Value } from '../tensor/graph';
import type { Rotary } from '../tensor/ops';
import * as o from '../tensor/ops';
import type { TextConfig } from './config';
import type { Parameters } from './parameters';

export const layerName = (i: number): string => `model.language_model.layers.${i}`;

/** Angles for queries, which are then scaled by 1 / sqrt(headDim) too: that costs nothing here. */
export function scaled({ cos, sin }: Rotary, headDim: number): Rotary {
  const scale = 1 / Math.sqrt(headDim);
  return { cos: o.mul(cos, scale), sin: o.mul(sin, scale) };
}

/** Normed input [rows, hidden] -> rotated keys and values, [rows, kvHeads * headDim]. */
export function keysAndValues(p: Parameters, i: number, x: Value, rotary: Rotary): { k: Value; v: Value } {
  const at = `${layerName(i)}.self_attn`;
  const k = o.linear(x, p.get(`${at}.k_proj.weight`), p.get(`${at}.k_proj.bias`));
  const v = o.linear(x, p.get(`${at}.v_proj.weight`), p.get(`${at}.v_proj.bias`));
  return { k: o.rotary(k, rotary), v };
}

/** Normed input [rows, hidden] -> queries, rotated and scaled by 1 / sqrt(headDim), [rows, heads * headDim]. */
export function queries(p: Parameters, c: TextConfig, i: number, x: Value, rotary: Rotary): Value {
  const at = `${layerName(i)}.self_attn.q_proj`;
  return o.rotary(o.linear(x, p.get(`${at}.weight`), p.get(`${at}.bias`)), scaled(rotary, c.headDim));
}

export function attentionNorm(p: Parameters, c: TextConfig, i: number, x: Value): Value {
  return o.rmsNorm(x, p.get(`${layerName(i)}.input_layernorm.weight`), c.rmsNormEps);
}

/** What follows attention in a layer: projection, residual, SwiGLU, residual. attended: [rows, heads * headDim]. */
export function afterAttention(p: Parameters, c: TextConfig, i: number, x: Value, attended: Value): Value {
  const at = layerName(i);
  const h = o.add(x, o.linear(attended, p.get(`${at}.self_attn.o_proj.weight`)));
  const n = o.rmsNorm(h, p.get(`${at}.post_attention_layernorm.weight`), c.rmsNormEps);
  const gate = o.silu(o.linear(n, p.get(`${at}.mlp.gate_proj.weight`)));
  const up = o.linear(n, p.get(`${at}.mlp.up_proj.weight`));
  return o.add(h, o.linear(o.mul(gate, up), p.get(`${at}.mlp.down_proj.weight`)));
}

/** Final norm and head: [rows, hidden] -> logits [rows, vocab]. */
export function head(p: Parameters, c: TextConfig, tied: boolean, x: Value): Value {
  const n = o.rmsNorm(x, p.get('model.language_model.norm.weight'), c.rmsNormEps);
  return o.linear(n, p.get(tied ? 'model.language_model.embed_tokens.weight' : 'lm_head.weight'));
}

/** Sizes that attention needs, beside the text configuration. */
export interface PromptShape {
  readonly batch: Dim;
  readonly length: Dim;
}

/** Keys laid out for products: [batch, kvHeads, headDim, length]. */
export function promptKeys(k: Value, c: TextConfig, { batch, length }: PromptShape): Value {
  return o.transpose(o.reshape(k, [batch, length, c.kvHeads, c.headDim]), [0, 2, 3, 1]);
}

/** Values laid out for products: [batch, kvHeads, length, headDim]. */
export function promptValues(v: Value, c: TextConfig, { batch, length }: PromptShape): Value {
  return o.transpose(o.reshape(v, [batch, length, c.kvHeads, c.headDim]), [0, 2, 1, 3]);
}

/**
 * Causal attention of prompts among themselves. Prompts are padded on the right, so the causal mask is enough: no token
 * of a prompt sees padding, and what padding sees is not used.
 *
 * @param q [batch * length, heads * headDim], scaled
 * @param causal [length, length], 0 or a large negative number
 * @returns [batch * length, heads * headDim]
 */
export function promptAttention(q: Value, k: Value, v: Value, causal: Value, c: TextConfig, shape: PromptShape): Value {
  const { batch, length } = shape;
  const { kvHeads: kv, headDim: d } = c;
  const rep = c.heads / kv;
  const rows = product(rep, length);
  const byHead = o.transpose(o.reshape(q, [batch, length, kv, rep, d]), [0, 2, 3, 1, 4]);
  const scores = o.matmul(o.reshape(byHead, [batch, kv, rows, d]), promptKeys(k, c, shape));
  const weights = o.softmax(o.add(o.reshape(scores, [batch, kv, rep, length, length]), causal));
  const out = o.matmul(o.reshape(weights, [batch, kv, rows, length]), promptValues(v, c, shape));
  const back = o.transpose(o.reshape(out, [batch, kv, rep, length, d]), [0, 3, 1, 2, 4]);
  return o.reshape(back, [product(batch, length), c.heads * d]);
}

/** One stretch of keys and values that completions attend to. */
export type Stretch =
  /** One a prompt, seen by every sample of its group: keys [batch, kv, d, n], values [batch, kv, n, d]. */
  | { readonly kind: 'shared'; readonly keys: Value; readonly values: Value; readonly length: Dim }
  /** One a sample: keys [batch, kv, group, d, n], values [batch, kv, group, n, d]. */
  | { readonly kind: 'own'; readonly keys: Value; readonly values: Value; readonly length: Dim };

export interface CompletionShape {
  readonly batch: Dim;
  readonly group: Dim;
  readonly length: Dim;
}

/** Keys of completions laid out for products: [batch, kvHeads, group, headDim, length]. */
export function completionKeys(k: Value, c: TextConfig, { batch, group, length }: CompletionShape): Value {
  return o.transpose(o.reshape(k, [batch, group, length, c.kvHeads, c.headDim]), [0, 3, 1, 4, 2]);
}

/** Keys or values of one token of each completion: [batch * group, kvHeads * headDim] -> [batch, kvHeads, group, headDim]. */
export function ofOneToken(x: Value, c: TextConfig, batch: Dim, group: Dim): Value {
  return o.transpose(o.reshape(x, [batch, group, c.kvHeads, c.headDim]), [0, 2, 1, 3]);
}

/** Values of completions laid out for products: [batch, kvHeads, group, length, headDim]. */
export function completionValues(v: Value, c: TextConfig, { batch, group, length }: CompletionShape): Value {
  return o.transpose(o.reshape(v, [batch, group, length, c.kvHeads, c.headDim]), [0, 3, 1, 2, 4]);
}

/**
 * Attention of the completions of a group to their common prompt, which is neither stored nor computed once a sample,
 * and to themselves: one softmax over all stretches.
 *
 * @param q [batch * group * length, heads * headDim], scaled
 * @param bias broadcast against [batch, kvHeads, group * rep, length, all stretches], without length where it is 1
 * @returns [batch * group * length, heads * headDim]
 */
export function completionAttention(
  q: Value,
  stretches: readonly Stretch[],
  bias: Value,
  c: TextConfig,
  shape: CompletionShape,
): Value {
  const { batch, group, length } = shape;
  const { kvHeads: kv, headDim: d } = c;
  const rep = c.heads / kv;
  const heads = product(group, rep);
  // rows of a product: all of a group for the shared stretch, those of a sample for its own
  const shared = [batch, kv, product(heads, length)];
  const own = [batch, kv, group, product(rep, length)];
  // a single token needs no axis, and so no reshape
  const all = length === 1 ? [batch, kv, heads] : [batch, kv, heads, length];
  const byHead = o.transpose(o.reshape(q, [batch, group, length, kv, rep, d]), [0, 3, 1, 4, 2, 5]);
  const layout = (s: Stretch): Dim[] => (s.kind === 'shared' ? shared : own);
  const scores = stretches.map(s =>
    o.reshape(o.matmul(o.reshape(byHead, [...layout(s), d]), s.keys), [...all, s.length]),
  );
  const weights = o.split(
    o.softmax(o.add(o.concat(scores, -1), bias)),
    stretches.map(s => s.length),
    -1,
  );
  const out = stretches
    .map((s, i) => {
      const w = o.reshape(weights[i] as Value, [...layout(s), s.length]);
      // one weight for one value needs no product of matrices, which costs three times as much
      const values = s.length === 1 ? o.mul(w, s.values) : o.matmul(w, s.values);
      return o.reshape(values, [...shared, d]);
    })
    .reduce(o.add);
  const back = o.transpose(o.reshape(out, [batch, kv, group, rep, length, d]), [0, 2, 4, 1, 3, 5]);
  return o.reshape(back, [product(batch, group, length), c.heads * d]);
}
