// What is shown of an example in each of the five conditions. Their differences tell how much of an answer comes from
// the image, from the caption, and from the question alone.

import type { Condition } from '../config/schema';
import type { Pixels } from '../model/images';
import type { Example, View } from '../protocol/example';
import { Random } from '../protocol/random';

/** Whether an example can be shown in a condition. */
export function canShow(example: Example, condition: Condition): boolean {
  const captioned = example.caption !== undefined;
  if (condition === 'caption') return captioned;
  return example.images.length > 0 && (condition !== 'image_caption' || captioned);
}

/** The view whose template words the condition. */
export const viewOf = (condition: Condition): View =>
  condition === 'image_caption' || condition === 'caption' ? 'captioned' : 'image';

/**
 * For every example, one whose images stand in for its own: another one, with other files. Undefined where there is none.
 */
export function mismatches(examples: readonly Example[], seed: number): readonly (Example | undefined)[] {
  const order = new Random(seed, 'mismatched').shuffled([...examples.keys()]);
  const partner: (Example | undefined)[] = examples.map(() => undefined);
  order.forEach((index, i) => {
    const own = examples[index] as Example;
    for (let step = 1; step < order.length && partner[index] === undefined; step++) {
      const other = examples[order[(i + step) % order.length] as number] as Example;
      if (other.images.length > 0 && other.images.every(f => !own.images.includes(f))) partner[index] = other;
    }
  });
  return partner;
}

/** An image of one colour, the mean that pixels are normalised by, in the same number of patches. */
export const blank = ({ grid, values }: Pixels): Pixels => ({ grid, values: new Float32Array(values.length) });
