// Forward and backward layer by layer: what is kept between the two is the input of each layer and nothing else, and each
// layer is computed again before its gradient. Within one graph the runtime would fold the second computation into the
// first, and keep it (measured: 1,670 MB with or without; docs/models.md has the figures of this way).

import { EMBEDDING, embedded, headIsHalf, headStretches, layerFeeds, layerKind, renamed } from '../model/layer-feeds';
import {
  backwardGraph,
  completionLayerPiece,
  forwardGraph,
  normPiece,
  stretchBackwardGraph,
  stretchGraph,
} from '../model/layer-graphs';
import type { Model } from '../model/model';
import type { Weights } from '../model/weights';
import { Graph } from '../tensor/graph';
import { reshape } from '../tensor/ops';
import type { FloatTensor, Session, Tensor } from '../tensor/session';
import { type Dropout, dropoutFeeds } from './dropout';
import { byToken, outputs, rows, type Tokens } from './losses';

type Feeds = ReadonlyMap<string, Tensor>;
type Results = Map<string, FloatTensor>;

export interface LayerwiseGradient {
  /** Loss, log-probabilities and entropies, as the graph of the whole model puts them out. */
  readonly out: Results;
  readonly grads: Results;
  /** Of the image features, where the graph that they come from is trained. */
  readonly dFeatures?: FloatTensor;
}

export interface LayerwiseOptions {
  readonly weights: Weights;
  readonly trained: (name: string) => boolean;
  readonly dropout?: Dropout;
  readonly featuresTrained: boolean;
}

/** The figures of every token as inputs of a graph, on which a loss is put. */
function givenTokens(): Tokens {
  const graph = new Graph();
  const perToken = (name: string) => reshape(graph.input(name, 'float32', byToken), [rows, 1]);
  const logProbs = graph.input('given_log_probs', 'float32', [rows, 1]);
  const entropy = graph.input('given_entropy', 'float32', [rows, 1]);
  const parameters = new Map([
    ['log_probs', logProbs],
    ['entropy', entropy],
  ]);
  return { graph, parameters, logProbs, entropy, perToken };
}

/**
 * @param lossName of the objective
 * @param loss the graph of the objective on given figures of tokens
 * @param feeds of the graph of the whole model
 */
export async function gradientByLayers(
  model: Model,
  lossName: string,
  loss: (tokens: Tokens) => Graph,
  feeds: Feeds,
  options: LayerwiseOptions,
): Promise<LayerwiseGradient> {
  const { weights, trained } = options;
  const layers = new Layers(model, feeds, options);
  const boundaries = await layers.forward(true);
  const last = boundaries.pop() as FloatTensor;
  const normed = await layers.norm(last);
  const { logProbs, entropy, lse } = await tokenFigures(model, weights, normed, feeds);

  const lossSession = await model.layerSession('head', `loss ${lossName}`, () => loss(givenTokens()));
  const out = await lossSession.run(
    feeds,
    new Map([
      ['given_log_probs', logProbs],
      ['given_entropy', entropy],
    ]),
  );
  const zeros = { dims: logProbs.dims, data: new Float32Array(logProbs.data.length) };
  const grads: Results = new Map();
  const dNormed = await headBackward(model, weights, normed, feeds, grads, trained, {
    lse,
    entropy,
    dLogProbs: out.get('d.log_probs') ?? zeros,
    dEntropy: out.get('d.entropy') ?? zeros,
  });
  const dLast = await layers.normBackward(last, dNormed, grads);
  const dEmbedded = await layers.backward(boundaries, dLast, grads);
  const dFeatures = spreadEmbedding(model, feeds, dEmbedded, grads, trained, options.featuresTrained);
  out.set(outputs.logProbs, logProbs);
  out.set(outputs.entropy, entropy);
  return { out, grads, ...(dFeatures === undefined ? {} : { dFeatures }) };
}

/** Log-probabilities and entropies alone. */
export async function scoreByLayers(model: Model, feeds: Feeds, weights: Weights): Promise<Results> {
  const layers = new Layers(model, feeds, { weights, trained: () => false, featuresTrained: false });
  const [last] = await layers.forward(false);
  const { logProbs, entropy } = await tokenFigures(model, weights, await layers.norm(last as FloatTensor), feeds);
  return new Map([
    [outputs.logProbs, logProbs],
    [outputs.entropy, entropy],
  ]);
}

class Layers {
  private readonly built = new Map<string, number>();

  constructor(
    private readonly model: Model,
    private readonly feeds: Feeds,
    private readonly options: LayerwiseOptions,
  ) {
    // the first layer of a kind gives its graph the names
    const form = model.formOf(options.weights);
    for (let i = form.text.layers - 1; i >= 0; i--) this.built.set(layerKind(form, i), i);
  }

  private get form() {
    return this.model.formOf(this.options.weights);
  }

  private get graphOptions() {
    return { training: this.options.dropout !== undefined };
  }

  private key(what: string): string {
    const { dropout } = this.options;
    return `${what}${this.form.adapter === undefined ? '' : ' adapted'}${dropout === undefined ? '' : ' dropout'}`;
  }

  /** @param keep the input of every layer, and the output of the last behind them; or that output alone */
  async forward(keep: boolean): Promise<FloatTensor[]> {
    const { text } = this.form;
    let x = this.embed();
    const boundaries: FloatTensor[] = [];
    for (let i = 0; i < text.layers; i++) {
      const [session, built] = await this.session('forward', i);
      const out = await session.run(new Map([['x', x]]), this.feeds, this.layer(session, built, i));
      if (keep) boundaries.push(x);
      x = out.get('y') as FloatTensor;
    }
    return [...boundaries, x];
  }

  async backward(boundaries: FloatTensor[], dLast: FloatTensor, grads: Results): Promise<FloatTensor> {
    let dy = dLast;
    for (let i = this.form.text.layers - 1; i >= 0; i--) {
      const x = boundaries.pop() as FloatTensor;
      const [session, built] = await this.session('backward', i);
      const given = new Map([
        ['x', x],
        ['dy', dy],
      ]);
      for (const [name, value] of await session.run(given, this.feeds, this.layer(session, built, i))) {
        if (name === 'd.x') dy = value;
        else grads.set(renamed(name.slice(2), built, i), value);
      }
    }
    return dy;
  }

  async norm(x: FloatTensor): Promise<FloatTensor> {
    const session = await this.model.layerSession('head', this.key('norm'), () => forwardGraph(normPiece(this.form)));
    return (await session.run(new Map([['x', x]]), this.options.weights)).get('y') as FloatTensor;
  }

  async normBackward(x: FloatTensor, dy: FloatTensor, grads: Results): Promise<FloatTensor> {
    const session = await this.model.layerSession('head backward', this.key('norm'), () =>
      backwardGraph(normPiece(this.form), this.options.trained),
    );
    const given = new Map([
      ['x', x],
      ['dy', dy],
    ]);
    const out = await session.run(given, this.options.weights);
    for (const [name, value] of out) if (name !== 'd.x') grads.set(name.slice(2), value);
    return out.get('d.x') as FloatTensor;
  }

  private async session(stage: 'forward' | 'backward', i: number): Promise<[Session, number]> {
    const kind = layerKind(this.form, i);
    const built = this.built.get(kind) as number;
    const { trained } = this.options;
    // which parameters are trained is a matter of their kind: that of one layer stands for all
    const session = await this.model.layerSession(`${stage} ${kind}`, this.key(kind), () => {
      const piece = completionLayerPiece(this.form, built, this.graphOptions);
      return stage === 'forward' ? forwardGraph(piece) : backwardGraph(piece, trained);
    });
    return [session, built];
  }

  /** Parameters and masks of layer i under the names of the one that was built. */
  private layer(session: Session, built: number, i: number): Feeds {
    const { weights, dropout } = this.options;
    const feeds = layerFeeds(this.model, weights, session, built, i);
    if (dropout === undefined) return feeds;
    const inputs = new Map([...session.inputDims].map(([name, dims]) => [renamed(name, built, i), dims]));
    for (const [name, mask] of dropoutFeeds(inputs, this.feeds, dropout)) feeds.set(renamed(name, i, built), mask);
    return feeds;
  }

  private embed(): FloatTensor {
    const ids = [...idsOf(this.feeds)];
    const x = embedded(this.model, this.options.weights, ids);
    const features = this.feeds.get('image_features');
    const at = this.feeds.get('image_rows')?.data ?? [];
    const { hiddenSize: hidden } = this.form.text;
    if (features !== undefined)
      for (let k = 0; k < at.length; k++)
        x.data.set((features.data as Float32Array).subarray(k * hidden, (k + 1) * hidden), Number(at[k]) * hidden);
    return x;
  }
}

/** Ids of prompts, then of completions, by row. */
function* idsOf(feeds: Feeds): Generator<number> {
  for (const name of ['prompt_ids', 'completion_ids']) yield* (feeds.get(name)?.data ?? []) as Int32Array;
}

interface Figures {
  readonly logProbs: FloatTensor;
  readonly entropy: FloatTensor;
  readonly lse: FloatTensor;
}

const sessionOfHead = (model: Model, backward: boolean, trained: boolean): Promise<Session> => {
  const half = headIsHalf(model);
  const { hiddenSize } = model.config.text;
  return model.layerSession(backward ? 'head backward' : 'head', `head ${half} ${trained}`, () =>
    backward ? stretchBackwardGraph(hiddenSize, half, trained) : stretchGraph(hiddenSize, half),
  );
};

const headName = ({ config }: Model): string => (config.tied ? EMBEDDING : 'lm_head.weight');

/** The softmax over the whole vocabulary, from stretches of it; summed up in float64. */
async function tokenFigures(model: Model, weights: Weights, x: FloatTensor, feeds: Feeds): Promise<Figures> {
  const n = x.dims[0] as number;
  const targets = feeds.get('targets')?.data as Int32Array;
  const session = await sessionOfHead(model, false, false);
  const max = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const sum = new Float64Array(n);
  const weighted = new Float64Array(n);
  const taken = new Float64Array(n);
  for (const { from, w } of headStretches(model, weights, n)) {
    const words = w.dims[0] as number;
    const index = Int32Array.from(targets, id => Math.min(Math.max(id - from, 0), words - 1));
    const given = new Map<string, Tensor>([
      ['x', x],
      ['w', w],
      ['index', { dims: [n, 1], data: index }],
    ]);
    const out = await session.run(given, feeds);
    const of = (name: string): Float32Array => (out.get(name) as FloatTensor).data;
    const [ownMax, ownSum, ownWeighted, ownTaken] = [of('max'), of('sum'), of('weighted'), of('taken')];
    for (let r = 0; r < n; r++) {
      const greater = Math.max(max[r] as number, ownMax[r] as number);
      const [before, here] = [Math.exp((max[r] as number) - greater), Math.exp((ownMax[r] as number) - greater)];
      sum[r] = (sum[r] as number) * before + (ownSum[r] as number) * here;
      weighted[r] = (weighted[r] as number) * before + (ownWeighted[r] as number) * here;
      max[r] = greater;
      const target = (targets[r] as number) - from;
      if (target >= 0 && target < words) taken[r] = ownTaken[r] as number;
    }
  }
  const lse = sum.map((s, r) => (max[r] as number) + Math.log(s));
  const column = (f: (r: number) => number): FloatTensor => ({
    dims: [n, 1],
    data: Float32Array.from({ length: n }, (_, r) => f(r)),
  });
  return {
    lse: column(r => lse[r] as number),
    logProbs: column(r => (taken[r] as number) - (lse[r] as number)),
    entropy: column(r => (lse[r] as number) - (weighted[r] as number) / (sum[r] as number)),
  };
}

interface TokenGradients {
  readonly lse: FloatTensor;
  readonly entropy: FloatTensor;
  readonly dLogProbs: FloatTensor;
  readonly dEntropy: FloatTensor;
}

/** The gradient of the normed rows; that of the head is added to the others. */
async function headBackward(
  model: Model,
  weights: Weights,
  x: FloatTensor,
  feeds: Feeds,
  grads: Results,
  trained: (name: string) => boolean,
  { lse, entropy, dLogProbs, dEntropy }: TokenGradients,
): Promise<FloatTensor> {
  const n = x.dims[0] as number;
  const name = headName(model);
  const session = await sessionOfHead(model, true, trained(name));
  const targets = feeds.get('targets')?.data as Int32Array;
  const { hiddenSize: hidden, vocabSize } = model.config.text;
  const dx = new Float32Array(x.data.length);
  const dw = trained(name) ? new Float32Array(vocabSize * hidden) : undefined;
  for (const { from, w } of headStretches(model, weights, n)) {
    const words = w.dims[0] as number;
    const inside = (id: number): boolean => id >= from && id < from + words;
    const given = new Map<string, Tensor>([
      ['x', x],
      ['w', w],
      ['lse', lse],
      ['entropy', entropy],
      ['d_log_probs', dLogProbs],
      ['d_entropy', dEntropy],
      ['index', { dims: [n, 1], data: Int32Array.from(targets, id => (inside(id) ? id - from : 0)) }],
      ['d_taken', { dims: [n, 1], data: dLogProbs.data.map((g, r) => (inside(targets[r] as number) ? g : 0)) }],
    ]);
    const out = await session.run(given, feeds);
    const part = (out.get('d.x') as FloatTensor).data;
    for (let k = 0; k < dx.length; k++) dx[k] = (dx[k] as number) + (part[k] as number);
    dw?.set((out.get('d.w') as FloatTensor).data, from * hidden);
  }
  if (dw !== undefined) grads.set(name, { dims: [vocabSize, hidden], data: dw });
  return { dims: x.dims, data: dx };
}

/** Adds the gradient of the embedded rows to that of the embedding; image tokens have theirs in the features. */
function spreadEmbedding(
  model: Model,
  feeds: Feeds,
  dx: FloatTensor,
  grads: Results,
  trained: (name: string) => boolean,
  features: boolean,
): FloatTensor | undefined {
  const { hiddenSize: hidden, vocabSize } = model.config.text;
  const at = feeds.has('image_features') ? Array.from(feeds.get('image_rows')?.data ?? [], Number) : [];
  if (trained(EMBEDDING)) {
    const images = new Set(at);
    const total = grads.get(EMBEDDING)?.data ?? new Float32Array(vocabSize * hidden);
    let row = 0;
    for (const id of idsOf(feeds)) {
      if (!images.has(row))
        for (let k = 0; k < hidden; k++)
          total[id * hidden + k] = (total[id * hidden + k] as number) + (dx.data[row * hidden + k] as number);
      row++;
    }
    grads.set(EMBEDDING, { dims: [vocabSize, hidden], data: total });
  }
  if (!features || at.length === 0) return undefined;
  const data = new Float32Array(at.length * hidden);
  at.forEach((row, k) => {
    data.set(dx.data.subarray(row * hidden, (row + 1) * hidden), k * hidden);
  });
  return { dims: [at.length, hidden], data };
}
