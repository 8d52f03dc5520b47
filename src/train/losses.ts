// Objectives as graphs on the logits of completions. Masks, aggregation and advantages come in as one weight and one
// advantage for each token, so that every way of averaging is a choice of numbers and not of graph.

import type { ModelConfig } from '../model/config';
import { completionGraph, type ImageInput } from '../model/graphs';
import { gradients } from '../tensor/gradients';
import { type Graph, product, type Value } from '../tensor/graph';
import * as o from '../tensor/ops';

/** What a gradient graph puts out beside "d.PARAMETER" for each parameter. */
export const outputs = {
  /** sum of weight * loss over tokens, a scalar */
  loss: 'loss',
  /** log-probability of the taken token under softmax(logits / temperature), nats, [batch * completion * group, 1] */
  logProbs: 'log_probs',
  /** entropy of the same distribution, nats, [batch * completion * group, 1] */
  entropy: 'entropy',
} as const;

interface Tokens {
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<string, Value>;
  readonly logProbs: Value;
  /** A float input with one number for each token. */
  readonly perToken: (name: string) => Value;
}

const rows = product('batch', 'group', 'completion') as string;

function tokens(config: ModelConfig, images: ImageInput): Tokens {
  const { graph, parameters, logits } = completionGraph(config, images);
  const flat = (x: Value): Value => o.reshape(x, [rows, 1]);
  const perToken = (name: string): Value => flat(graph.input(name, 'float32', ['batch', 'group', 'completion']));
  const all = o.logSoftmax(o.mul(logits, graph.input('inverse_temperature', 'float32', [])));
  const logProbs = o.gatherLast(all, flat(graph.input('targets', 'int32', ['batch', 'group', 'completion'])));
  graph.output(outputs.logProbs, logProbs);
  graph.output(outputs.entropy, o.neg(o.reduceSum(o.mul(o.exp(all), all), [-1])));
  return { graph, parameters: parameters.used, logProbs, perToken };
}

/** Log-probabilities and entropies alone. */
export const scoreGraph = (config: ModelConfig, images: ImageInput): Graph => tokens(config, images).graph;

function finish(tokens: Tokens, loss: Value, trained: (name: string) => boolean): Graph {
  const { graph, parameters, perToken } = tokens;
  // 0 for padding
  const total = o.reduceSum(o.mul(loss, perToken('weights')), [0, 1], false);
  graph.output(outputs.loss, total);
  const wanted = [...parameters].filter(([name]) => trained(name));
  const grads = gradients(
    total,
    wanted.map(([, value]) => value),
  );
  for (const [name, value] of wanted) {
    const grad = grads.get(value);
    if (grad !== undefined) graph.output(`d.${name}`, grad);
  }
  return graph;
}

/** Negative log-likelihood of the completions. */
export function sftGraph(config: ModelConfig, images: ImageInput, trained: (name: string) => boolean): Graph {
  const t = tokens(config, images);
  return finish(t, o.neg(t.logProbs), trained);
}

export interface GrpoGraphOptions {
  readonly epsilon: number;
  readonly epsilonHigh: number;
  /** Weight of the KL penalty; 0 leaves it and its input "ref_log_probs" out. */
  readonly beta: number;
  /** The old policy is the current one: the ratio is 1, its gradient is not 0, and no "old_log_probs" are needed. */
  readonly onPolicy: boolean;
}

/**
 * GRPO (arXiv 2402.03300, eq. 3, by token; TRL's grpo_trainer.py for the names):
 * l = -min(r A, clip(r, 1 - epsilon, 1 + epsilonHigh) A) + beta (exp(ref - p) - (ref - p) - 1), r = exp(p - old).
 */
export function grpoGraph(
  config: ModelConfig,
  images: ImageInput,
  options: GrpoGraphOptions,
  trained: (name: string) => boolean,
): Graph {
  const t = tokens(config, images);
  const advantages = t.perToken('advantages');
  const old = options.onPolicy ? o.stopGradient(t.logProbs) : t.perToken('old_log_probs');
  const ratio = o.exp(o.sub(t.logProbs, old));
  const clipped = o.min(o.max(ratio, 1 - options.epsilon), 1 + options.epsilonHigh);
  let loss = o.neg(o.min(o.mul(ratio, advantages), o.mul(clipped, advantages)));
  if (options.beta > 0) {
    const difference = o.sub(t.perToken('ref_log_probs'), t.logProbs);
    loss = o.add(loss, o.mul(o.sub(o.sub(o.exp(difference), difference), 1), options.beta));
  }
  return finish(t, loss, trained);
}
