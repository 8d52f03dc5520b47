import type { ExampleList } from '../../src/data/example-list';
import { usable } from '../../src/data/views';
import type { Example, View } from '../../src/protocol/example';
import type { Trainer } from '../../src/protocol/phase';

/** Examples in memory as a phase sees them. */
const listed = (examples: readonly Example[]): ExampleList => ({
  length: examples.length,
  at: index => examples[index] as Example,
  facts: index => {
    const { images, caption, scene, target, answer, preference, judged, difficulty } = examples[index] as Example;
    return {
      images: images.length > 0,
      caption: caption !== undefined,
      scene: scene !== undefined,
      target: target !== undefined,
      answer: answer !== '',
      preference: preference !== undefined,
      judged: judged !== undefined,
      difficulty,
      likeness: { high: 0, low: index },
    };
  },
});

/** What a phase with this view and trainer can use, whether or not there is a gold answer. */
export function usableOf(examples: readonly Example[], view: View, trainer: Trainer = 'grpo') {
  const { examples: list, refused } = usable(listed(examples), view, trainer, false);
  return { examples: Array.from({ length: list.length }, (_, i) => list.at(i)), refused };
}
