// A model in memory: its configuration, its parameters, and a session for each graph that was asked for.

import type { Graph } from '../tensor/graph';
import { type FloatTensor, Session, type SessionOptions } from '../tensor/session';
import { loadModelConfig, type ModelConfig } from './config';
import { imageFeaturesGraph } from './graphs';
import type { Pixels } from './images';
import { SequenceInputs } from './sequence-inputs';
import { visionFeeds } from './vision-inputs';
import { loadWeights, type Weights } from './weights';

export class Model {
  readonly inputs: SequenceInputs;
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(
    readonly config: ModelConfig,
    readonly weights: Weights,
    readonly options: SessionOptions,
  ) {
    this.inputs = new SequenceInputs(config);
  }

  static async load(folder: string, options: SessionOptions): Promise<Model> {
    const config = await loadModelConfig(folder);
    return new Model(config, await loadWeights(folder, config), options);
  }

  /** The session of a graph, built when first asked for. */
  session(name: string, build: () => Graph): Promise<Session> {
    let session = this.sessions.get(name);
    if (session === undefined) {
      session = Session.create(build(), this.options);
      this.sessions.set(name, session);
    }
    return session;
  }

  /** Features of the image tokens of images, in order: [tokens, hidden]. */
  async imageFeatures(images: readonly Pixels[], weights: Weights = this.weights): Promise<FloatTensor> {
    const session = await this.session('image features', () => imageFeaturesGraph(this.config));
    return (await session.run(visionFeeds(images, this.config.vision), weights)).get('image_features') as FloatTensor;
  }

  /** The parameters as they are now. */
  snapshot(): Weights {
    return new Map([...this.weights].map(([name, { dims, data }]) => [name, { dims, data: data.slice() }]));
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).dispose();
    this.sessions.clear();
  }
}
