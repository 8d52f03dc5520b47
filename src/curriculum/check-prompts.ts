// What would stop a run in its middle is found before its first step: images that cannot be read, prompts that are too
// long. Only headers are read, and only texts that might not fit are tokenised, so that large data is checked in seconds.

import type { ExampleList } from '../data/example-list';
import type { UserMessage } from '../data/views';
import { imageGrid } from '../model/images';
import { TriphaseError } from '../protocol/errors';
import type { Example, View } from '../protocol/example';
import type { Prompter } from '../rollout/prompter';

/** Examples, and how they are shown. */
export interface CheckedExamples {
  readonly examples: ExampleList;
  readonly view: View;
}

export interface PromptCheck {
  readonly prompter: Prompter;
  readonly userMessage: UserMessage;
  readonly system: string;
  readonly maxTokens: number;
  readonly progress: (done: number, total: number) => void;
}

/** Files that are opened at a time. */
const PARALLEL = 16;

/** @throws TriphaseError for the first image that cannot be used, or for the prompts that are too long, counted */
export async function checkPrompts(lists: readonly CheckedExamples[], check: PromptCheck): Promise<void> {
  const total = lists.reduce((n, { examples }) => n + examples.length, 0);
  let [count, done] = [0, 0];
  let first: { readonly example: Example; readonly error: TriphaseError } | undefined;
  for (const { examples, view } of lists) {
    for (let at = 0; at < examples.length; at += PARALLEL) {
      const batch = Array.from({ length: Math.min(PARALLEL, examples.length - at) }, (_, i) => examples.at(at + i));
      const errors = await Promise.all(batch.map(example => tooLongFor(example, view, check)));
      errors.forEach((error, i) => {
        if (error === undefined) return;
        count++;
        first ??= { example: batch[i] as Example, error };
      });
      done += batch.length;
      check.progress(done, total);
    }
  }
  if (first === undefined) return;
  const { source, id } = first.example;
  const others = count === 1 ? '' : ` (and ${count - 1} more)`;
  throw new TriphaseError(
    'prompt-too-long',
    `example ${id} of ${source}${others}: ${first.error.message}`,
    first.error.remedy,
  );
}

async function tooLongFor(example: Example, view: View, check: PromptCheck): Promise<TriphaseError | undefined> {
  const { prompter, userMessage, system, maxTokens } = check;
  const grids = view === 'text' ? [] : await Promise.all(example.images.map(f => imageGrid(f, prompter.processor)));
  const text = userMessage(example, view);
  // a token is at least a byte: what is short enough in bytes needs no tokenizer
  const most = Buffer.byteLength(text) + Buffer.byteLength(system) + prompter.imageTokens(grids) + TEMPLATE;
  if (most <= maxTokens) return undefined;
  try {
    prompter.tokens(system, text, grids, maxTokens);
    return undefined;
  } catch (error) {
    if (error instanceof TriphaseError && error.code === 'prompt-too-long') return error;
    throw error;
  }
}

/** More tokens than chat templates put around messages. */
const TEMPLATE = 256;
