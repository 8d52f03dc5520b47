// Numbers that are none: found, counted by tensor, and said so that a person knows which tensors and which examples.

import type { FloatTensor } from '../tensor/tensor';

/** So many names are spelt out. */
const named = 5;

/** Names of the tensors that hold a NaN or an infinity. */
export function notFinite(tensors: Iterable<readonly [string, Pick<FloatTensor, 'data'>]>): readonly string[] {
  const names: string[] = [];
  for (const [name, { data }] of tensors) if (!isFiniteSum(data)) names.push(name);
  return names;
}

/** x - x is 0 for every number and NaN for everything else: a sum instead of a branch for each. */
function isFiniteSum(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    sum += x - x;
  }
  return sum === 0;
}

/** "a, b and 3 more" */
export function inWords(names: readonly string[]): string {
  const more = names.length > named ? ` and ${names.length - named} more` : '';
  return `${names.slice(0, named).join(', ')}${more}`;
}
