// The parameters of a model as inputs of a graph: declared when first used, so that a graph takes what it needs.

import type { Graph, Value } from '../tensor/graph';

export class Parameters {
  readonly used = new Map<string, Value>();
  private readonly graph: Graph;
  private readonly shapes: ReadonlyMap<string, readonly number[]>;

  /** @param shapes of all parameters of the model, by name */
  constructor(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>) {
    this.graph = graph;
    this.shapes = shapes;
  }

  get(name: string): Value {
    const known = this.used.get(name);
    if (known !== undefined) return known;
    const dims = this.shapes.get(name);
    if (dims === undefined) throw new Error(`the model has no parameter ${name}`);
    const value = this.graph.input(name, 'float32', dims);
    this.used.set(name, value);
    return value;
  }
}
