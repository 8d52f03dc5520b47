// Which examples can be shown in a view, and the words that they are shown with.

import { Template } from '@huggingface/jinja';
import type { Curriculum } from '../config/schema';
import type { Example, View } from '../protocol/example';

export interface Refused {
  readonly reason: string;
  readonly count: number;
}

/** The examples that have what the view shows. A question that needs its picture is refused in the text view. */
export function forView(
  examples: readonly Example[],
  view: View,
): { readonly examples: readonly Example[]; readonly refused: readonly Refused[] } {
  return sort(examples, example => refusal(example, view));
}

/** The examples that an SFT phase can imitate. */
export function withTargets(examples: readonly Example[]): {
  readonly examples: readonly Example[];
  readonly refused: readonly Refused[];
} {
  return sort(examples, ({ target }) => (target === undefined ? 'there is no target to imitate' : undefined));
}

function sort(examples: readonly Example[], refuse: (example: Example) => string | undefined) {
  const accepted: Example[] = [];
  const reasons = new Map<string, number>();
  for (const example of examples) {
    const reason = refuse(example);
    if (reason === undefined) accepted.push(example);
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return { examples: accepted, refused: [...reasons].map(([reason, count]) => ({ reason, count })) };
}

function refusal({ images, caption, scene }: Example, view: View): string | undefined {
  switch (view) {
    case 'text':
      return images.length > 0 && scene === undefined
        ? 'the question needs its picture: there is no scene in words'
        : undefined;
    case 'captioned':
      if (images.length === 0) return 'there is no image';
      return caption === undefined ? 'there is no caption' : undefined;
    case 'image':
      return images.length === 0 ? 'there is no image' : undefined;
  }
}

/** The words of the user message for an example in a view; images stand before it. */
export type UserMessage = (example: Example, view: View) => string;

export function compileUserMessage(prompt: Curriculum['prompt']): UserMessage {
  const templates = {
    text: new Template(prompt.text),
    captioned: new Template(prompt.captioned),
    image: new Template(prompt.image),
  };
  return ({ question, scene = '', caption = '', choices = [] }, view) =>
    templates[view].render({ question, scene, caption, choices: lettered(choices) });
}

/** `A. four` and so on, a line each. */
function lettered(choices: readonly string[]): string {
  return choices.map((choice, option) => `${String.fromCharCode(65 + option)}. ${choice}`).join('\n');
}
