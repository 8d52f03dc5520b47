// What a run takes of memory, before it is begun: parameters and what training keeps of them, and what each graph takes as
// it runs, from the graphs themselves. The runtime keeps the memory of a session for its next run, so that sessions add up.

import { adapterShapes, isVision, type ModelForm } from '../model/adapter';
import { completionGraph, decodeGraph, prefillGraph } from '../model/graphs';
import { stretchWords } from '../model/layer-feeds';
import {
  backwardGraph,
  completionLayerPiece,
  decodeLayerGraph,
  forwardGraph,
  prefillLayerGraph,
  stretchBackwardGraph,
  stretchGraph,
} from '../model/layer-graphs';
import { PACKED_COPIES, worthPacking } from '../model/packed-session';
import { BLOCK, type Precision, storedAs } from '../model/precision';
import { parameterShapes } from '../model/weights';
import { footprint } from '../tensor/footprint';
import type { Graph } from '../tensor/graph';
import { grpoGraph } from './losses';

/** What is trained: nothing, an adapter, or the whole model. */
export type Trained = 'nothing' | 'adapter' | 'model';

export interface RunShape {
  /** Prompts that run together. */
  readonly prompts: number;
  /** Completions a prompt. */
  readonly samples: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Prompts of one run of the gradient; default: all of them. */
  readonly microBatch?: number;
}

export interface MemoryPlan extends RunShape {
  readonly form: ModelForm;
  readonly trained: Trained;
  /** Of what is not trained; training the model keeps it float32. */
  readonly precision: Precision;
  readonly layerwise: boolean;
  /** The vision tower stays as it is, and has neither gradients nor moments. */
  readonly visionFrozen?: boolean;
  /** Whether a second copy of the model stands beside it as the reference; an adapter needs none. */
  readonly reference: boolean;
}

export interface MemoryEstimate {
  readonly parts: readonly { readonly what: string; readonly bytes: number }[];
  readonly bytes: number;
}

/** Bytes an element, with its share of a scale. */
const BYTES: Readonly<Record<Precision, number>> = { f32: 4, f16: 2, int8: 1 + 4 / BLOCK, int4: 1 / 2 + 4 / BLOCK };

/** The process, its programs and the runtime, before a model is loaded: measured, Node 20 with onnxruntime 1.30. */
const PROCESS = 130 * 2 ** 20;

export function estimateMemory(plan: MemoryPlan): MemoryEstimate {
  const { trained, precision, layerwise } = plan;
  const form: ModelForm = { ...plan.form, precision };
  const parts: { what: string; bytes: number }[] = [{ what: 'the process', bytes: PROCESS }];
  const add = (what: string, bytes: number): void => {
    if (bytes > 0) parts.push({ what, bytes });
  };
  const shapes = parameterShapes(form);
  add(
    'parameters',
    total(shapes, name => BYTES[storedAs(precision, name, shapes.get(name) ?? [])]),
  );
  if (trained === 'adapter')
    add(
      'adapter, its gradients and moments',
      total(adapterShapes(form), () => 16),
    );
  if (trained === 'model') {
    add(
      'gradients and moments',
      total(shapes, name => (plan.visionFrozen === true && isVision(name) ? 0 : 12)),
    );
    if (plan.reference) add('reference', 4 * elements(shapes));
  }

  const sizes = sizesOf(plan);
  const microBatch = plan.microBatch ?? plan.prompts;
  const trainingSizes = sizesOf({ ...plan, prompts: microBatch });
  /** The runtime's plan of a run's memory, where it makes one, holds that of a second run. */
  const runs = layerwise ? 1 : 2;
  const graph = (what: string, g: Graph, of = sizes): void => {
    const { peak, outputs } = footprint(g, of);
    add(what, runs * peak + outputs);
  };
  const { text } = form;
  const middle = 0;
  const rows = microBatch * plan.samples * plan.completionTokens;
  const isTrained = (name: string): boolean => (trained === 'model' ? !isVision(name) : name.includes('.lora_'));
  add('keys and values', keysAndValues(plan));
  if (layerwise) {
    graph('prefill, a layer', prefillLayerGraph(form, middle));
    graph('decoding, a layer', decodeLayerGraph(form, middle));
    const words = (n: number) => stretchWords(n, text.vocabSize);
    const head = (n: number, g: Graph): number => {
      const { peak, outputs } = footprint(g, new Map([...sizes, ['rows', n], ['words', words(n)]]));
      return peak + outputs;
    };
    const embedding = precision !== 'f32';
    add('logits, a stretch', head(plan.prompts * plan.samples, stretchGraph(text.hiddenSize, embedding)));
    add('logits and probabilities of a step', 8 * plan.prompts * plan.samples * text.vocabSize);
    if (trained !== 'nothing') {
      const piece = () => completionLayerPiece(form, middle);
      graph('a layer forward', forwardGraph(piece()), trainingSizes);
      graph('a layer backward', backwardGraph(piece(), isTrained), trainingSizes);
      const all = trainingSizes.get('batch*prompt+batch*completion*group') ?? 0;
      add('inputs of all layers', 4 * all * text.hiddenSize * (text.layers + 1));
      add('head forward, a stretch', head(rows, stretchGraph(text.hiddenSize, embedding)));
      add(
        'head backward, a stretch',
        head(rows, stretchBackwardGraph(text.hiddenSize, embedding, trained === 'model')),
      );
    }
  } else {
    graph('prefill', prefillGraph(form, false));
    graph('decoding', decodeGraph(form));
    if (worthPacking(elements(shapes), plan.completionTokens))
      add('parameters of decoding, as constants', PACKED_COPIES * 4 * elements(shapes));
    if (trained !== 'nothing') {
      const { graph: g, parameters, logits } = completionGraph(form, 'none', true);
      const source = { graph: g, parameters: parameters.used, logits };
      const options = { epsilon: 0.2, epsilonHigh: 0.2, beta: plan.reference ? 0.04 : 0, onPolicy: true };
      graph('forward and backward', grpoGraph(source, options, isTrained), trainingSizes);
    }
  }
  return { parts, bytes: parts.reduce((n, { bytes }) => n + bytes, 0) };
}

function sizesOf({ prompts, samples, promptTokens, completionTokens }: RunShape): Map<string, number> {
  return new Map([
    ['batch', prompts],
    ['group', samples],
    ['prompt', promptTokens],
    ['completion', completionTokens],
    ['cache', completionTokens],
    ['batch*prompt+batch*completion*group', prompts * (promptTokens + samples * completionTokens)],
  ]);
}

/** Of prompts once a prompt, of completions with the room that grows by a quarter. */
function keysAndValues({ form, prompts, samples, promptTokens, completionTokens }: MemoryPlan): number {
  const { layers, kvHeads, headDim } = form.text;
  const tokens = prompts * (promptTokens + 1.25 * samples * Math.max(32, completionTokens));
  return Math.ceil(8 * layers * kvHeads * headDim * tokens);
}

const size = (dims: readonly number[]): number => dims.reduce((p, d) => p * d, 1);
const elements = (shapes: ReadonlyMap<string, readonly number[]>): number =>
  [...shapes.values()].reduce((n, dims) => n + size(dims), 0);
const total = (shapes: ReadonlyMap<string, readonly number[]>, bytes: (name: string) => number): number =>
  [...shapes].reduce((n, [name, dims]) => n + bytes(name) * size(dims), 0);
