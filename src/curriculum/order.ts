// Which examples a phase shows, step by step: fixed by the seed before the first step, so that a resumed run sees what
// the unbroken one would have.

import type { PhaseSource } from '../config/schema';
import type { Example, View } from '../protocol/example';
import { Random } from '../protocol/random';

/** Examples of one source, and how the phase shows them. */
export interface PhaseExamples {
  readonly source: PhaseSource;
  readonly examples: readonly Example[];
}

export interface Shown {
  readonly example: Example;
  readonly view: View;
}

/**
 * By step, the examples of its prompts. Sources come as often as their weights say; each is gone through in a random
 * order, and again in another when it is through.
 */
export function phaseOrder(
  sources: readonly PhaseExamples[],
  steps: number,
  prompts: number,
  seed: number,
  phase: string,
): readonly (readonly Shown[])[] {
  const decks = sources.map(({ source, examples }) => deck(examples, seed, phase, `${source.data} ${source.view}`));
  const total = sources.reduce((s, { source }) => s + source.weight, 0);
  const mix = new Random(seed, phase, 'mix');
  const pick = (): Shown => {
    let left = mix.uniform() * total;
    let i = 0;
    while (i < sources.length - 1) {
      left -= (sources[i] as PhaseExamples).source.weight;
      if (left < 0) break;
      i++;
    }
    const next = decks[i]?.next();
    if (next === undefined || next.done) throw new Error('a deck of examples is empty');
    return { example: next.value, view: (sources[i] as PhaseExamples).source.view };
  };
  return Array.from({ length: steps }, () => Array.from({ length: prompts }, pick));
}

function* deck(examples: readonly Example[], seed: number, phase: string, source: string): Generator<Example, never> {
  for (let round = 0; ; round++) yield* new Random(seed, phase, source, round).shuffled(examples);
}
