// Masks of an adapter's dropout, from the path of random numbers of the step: whoever computes the same step again, after a
// resume or in a graph that recomputes, has the same masks. Given as inputs, a byte an element; each projection has its own,
// as in peft.

import { Random } from '../protocol/random';
import type { Dim } from '../tensor/graph';
import { sizeOf, sizesOf } from '../tensor/sizes';
import type { Tensor } from '../tensor/tensor';

export interface Dropout {
  /** Share of elements that go. */
  readonly share: number;
  /** Where the random numbers come from; the name of the mask is added. */
  readonly path: readonly (number | string)[];
}

const PREFIX = 'dropout.';

/**
 * The masks that a graph asks for: 1 where an element stays, 0 where it goes.
 *
 * @param inputs names and dimensions of the inputs of the graph
 * @param feeds the other inputs, from which symbols get their numbers
 */
export function dropoutFeeds(
  inputs: ReadonlyMap<string, readonly Dim[]>,
  feeds: ReadonlyMap<string, Tensor>,
  { share, path }: Dropout,
): Map<string, Tensor> {
  const sizes = sizesOf([...feeds].map(([name, { dims }]) => [inputs.get(name) ?? [], dims]));
  const masks = new Map<string, Tensor>();
  for (const [name, dims] of inputs) {
    if (!name.startsWith(PREFIX)) continue;
    const shape = dims.map(dim => sizeOf(dim, sizes));
    const data = new Uint8Array(shape.reduce((p, d) => p * d, 1));
    const random = new Random(...path, name);
    const gone = share * 2 ** 32;
    for (let i = 0; i < data.length; i++) data[i] = random.bits() >= gone ? 1 : 0;
    masks.set(name, { dims: shape, data });
  }
  return masks;
}
