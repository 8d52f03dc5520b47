// Generation of groups: a step-wise iterator, and a loop over it. Each step yields before the next begins, so that
// whoever drives it can look, force a token, or stop.

import { decodeGraph } from '../model/graphs';
import type { Model } from '../model/model';
import type { EncodedPrompt } from '../model/sequence-inputs';
import type { Random } from '../protocol/random';
import { Cache } from './cache';
import { type Drawn, draw } from './sampling';

export interface GenerationOptions {
  /** Completions a prompt. */
  readonly samples: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Longest completion, its stop token included. */
  readonly maxTokens: number;
  /** Tokens that end a completion and belong to it. */
  readonly stopIds: readonly number[];
  /** Texts that end a completion, and how tokens become text. */
  readonly stop?: { readonly texts: readonly string[]; readonly decode: (tokenIds: readonly number[]) => string };
}

export interface Sample {
  /** The stop token included. */
  readonly tokenIds: readonly number[];
  /** By token: natural logarithms under softmax(logits / temperature); temperature 0 reports temperature 1. */
  readonly logProbs: readonly number[];
  /** By token, nats, of the same distribution. */
  readonly entropy: readonly number[];
  /** Why it ended. */
  readonly stop: 'token' | 'text' | 'length';
}

interface Growing {
  readonly tokenIds: number[];
  readonly logProbs: number[];
  readonly entropy: number[];
  stop?: Sample['stop'];
}

/** The state after a step, of all completions of a batch. */
export interface Step {
  /** The tokens of this step are number `index` of their completions, from 0. */
  readonly index: number;
  /** [batch * samples, vocab]: where the tokens were drawn from. Valid until the next step. */
  readonly logits: Float32Array;
  /** By prompt and sample; undefined for completions that had ended. */
  readonly drawn: readonly (Drawn | undefined)[];
}

/** Tokens to take instead of drawing them, by position in the batch; undefined leaves the draw. */
export type Force = (completion: number, index: number) => number | undefined;

export class Generation {
  private readonly growing: Growing[];

  private constructor(
    private readonly model: Model,
    private readonly prompts: readonly EncodedPrompt[],
    private readonly options: GenerationOptions,
    private readonly random: readonly Random[],
    private readonly cache: Cache,
  ) {
    this.growing = random.map(() => ({ tokenIds: [], logProbs: [], entropy: [] }));
  }

  /**
   * Runs the prompts.
   *
   * @param random one stream a completion, by prompt and sample: a completion does not depend on what else is in the batch
   */
  static async start(
    model: Model,
    prompts: readonly EncodedPrompt[],
    options: GenerationOptions,
    random: readonly Random[],
  ): Promise<Generation> {
    if (random.length !== prompts.length * options.samples) throw new Error('one random stream a completion is needed');
    const cache = await Cache.prefill(model, prompts, options.samples);
    return new Generation(model, prompts, options, random, cache);
  }

  /** One token of every completion at a time, until all have ended. */
  async *steps(force: Force = () => undefined): AsyncGenerator<Step, void, void> {
    const { model, prompts, cache, growing } = this;
    const { samples, temperature, maxTokens } = this.options;
    const session = await model.session('decode', () => decodeGraph(model.config));
    const width = model.config.text.vocabSize;
    const ids = Int32Array.from(growing, (_, i) => prompts[Math.floor(i / samples)]?.tokenIds.at(-1) ?? 0);
    for (let index = 0; index < maxTokens && growing.some(g => g.stop === undefined); index++) {
      const step = model.inputs.decode(prompts, samples, index, cache.capacity, ids);
      const out = await session.run(step, cache.feeds(), model.weights);
      cache.append(out);
      const logits = (out.get('logits') as { data: Float32Array }).data;
      const drawn = growing.map((g, i) => {
        if (g.stop !== undefined) return undefined;
        const uniform = temperature === 0 ? 0 : (this.random[i] as Random).uniform();
        const d = draw(logits, i, width, temperature, uniform, force(i, index));
        g.tokenIds.push(d.token);
        g.logProbs.push(d.logProb);
        g.entropy.push(d.entropy);
        ids[i] = d.token;
        const stop = this.ended(g.tokenIds);
        if (stop !== undefined) g.stop = stop;
        return d;
      });
      yield { index, logits, drawn };
    }
  }

  /** All steps. @returns completions by prompt and sample; undefined when it was told to stop. */
  async finish(stopRequested: () => boolean = () => false): Promise<readonly (readonly Sample[])[] | undefined> {
    for await (const _ of this.steps()) if (stopRequested()) return undefined;
    return this.samples();
  }

  /** The completions as far as they are. */
  samples(): readonly (readonly Sample[])[] {
    const { samples } = this.options;
    return this.prompts.map((_, b) =>
      this.growing.slice(b * samples, (b + 1) * samples).map(g => ({ ...g, stop: g.stop ?? 'length' })),
    );
  }

  private ended(tokenIds: readonly number[]): Sample['stop'] | undefined {
    const { stopIds, stop, maxTokens } = this.options;
    if (stopIds.includes(tokenIds.at(-1) as number)) return 'token';
    if (stop !== undefined && stop.texts.length > 0) {
      const text = stop.decode(tokenIds);
      if (stop.texts.some(s => text.includes(s))) return 'text';
    }
    return tokenIds.length >= maxTokens ? 'length' : undefined;
  }
}
