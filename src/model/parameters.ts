// The parameters of a model as inputs of a graph: declared when first used, so that a graph takes what it needs.

import type { Graph, Value } from '../tensor/graph';
import { cast } from '../tensor/ops';
import { type Adapter, adapterShapes, type ModelForm } from './adapter';
import { parameterShapes } from './weights';

export interface ParameterOptions {
  /** Shapes of parameters that the graph has beside those of the model. */
  readonly further?: ReadonlyMap<string, readonly number[]>;
  /** Whether inputs of the adapter are dropped out. */
  readonly training?: boolean;
  /** Parameters that come in as float16; the graph computes with float32. */
  readonly half?: (name: string) => boolean;
}

export class Parameters {
  readonly used = new Map<string, Value>();
  readonly adapter: Adapter | undefined;
  readonly training: boolean;
  private readonly half: (name: string) => boolean;
  private readonly shapes: ReadonlyMap<string, readonly number[]>;

  constructor(
    readonly graph: Graph,
    form: ModelForm,
    { further = new Map(), training = false, half = () => false }: ParameterOptions = {},
  ) {
    this.adapter = form.adapter;
    this.training = training;
    this.half = half;
    this.shapes = new Map([...parameterShapes(form), ...adapterShapes(form), ...further]);
  }

  get(name: string): Value {
    const value = this.find(name);
    if (value === undefined) throw new Error(`the model has no parameter ${name}`);
    return value;
  }

  /** undefined: the model has no such parameter. */
  find(name: string): Value | undefined {
    const known = this.used.get(name);
    const dims = this.shapes.get(name);
    if (known !== undefined || dims === undefined) return known;
    const value = this.half(name)
      ? cast(this.graph.input(name, 'float16', dims), 'float32')
      : this.graph.input(name, 'float32', dims);
    this.used.set(name, value);
    return value;
  }
}
