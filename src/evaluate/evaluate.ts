// Accuracy of a model on held-out examples, in up to five conditions, with what guessing would give beside it.

import type { Condition } from '../config/schema';
import type { UserMessage } from '../data/views';
import type { Model } from '../model/model';
import type { Example } from '../protocol/example';
import { Random } from '../protocol/random';
import type { ConditionResult, Evaluation, LanguageBias } from '../protocol/run';
import type { Score } from '../reward/compile';
import { Generation, type GenerationOptions, type Sample } from '../rollout/generation';
import type { Prompter, RenderedPrompt } from '../rollout/prompter';
import { blank, canShow, mismatches, viewOf } from './conditions';
import { wilson } from './interval';

export interface EvaluationOptions {
  readonly system: string;
  readonly conditions: readonly Condition[];
  readonly samples: number;
  readonly temperature: number;
  /** How completions are drawn, but for their number and temperature. */
  readonly generation: Omit<GenerationOptions, 'samples' | 'temperature'>;
  readonly maxPromptTokens: number;
  readonly seed: number;
  readonly stopRequested: () => boolean;
  readonly progress: (done: number, total: number) => void;
}

/** Completions that are decoded together. */
const BATCH = 64;

/** @returns undefined when it was told to stop */
export async function evaluate(
  model: Model,
  prompter: Prompter,
  userMessage: UserMessage,
  score: Score,
  examples: readonly Example[],
  options: EvaluationOptions,
): Promise<Evaluation | undefined> {
  const started = performance.now();
  const strangers = mismatches(examples, options.seed);
  const shown = options.conditions.map(condition =>
    examples.flatMap((example, i) => {
      const stranger = strangers[i];
      if (!canShow(example, condition) || (condition === 'mismatched' && stranger === undefined)) return [];
      return [{ example, images: (condition === 'mismatched' ? (stranger as Example) : example).images }];
    }),
  );
  const total = shown.reduce((n, items) => n + items.length, 0);
  let done = 0;
  const results: ConditionResult[] = [];
  for (const [i, condition] of options.conditions.entries()) {
    const items = shown[i] ?? [];
    if (items.length === 0) continue;
    const count = { n: 0, right: 0, ungradable: 0, format: 0, truncated: 0, tokens: 0 };
    const perBatch = Math.max(1, Math.floor(BATCH / options.samples));
    for (let at = 0; at < items.length; at += perBatch) {
      if (options.stopRequested()) return undefined;
      const batch = items.slice(at, at + perBatch);
      const prompts = await Promise.all(batch.map(item => show(prompter, userMessage, item, condition, options)));
      const samples = await complete(model, prompts, batch, condition, options);
      batch.forEach(({ example }, b) => {
        for (const sample of samples[b] ?? []) {
          const text = prompter.tokenizer.decode(sample.tokenIds, { skipSpecial: true });
          const scored = score(text, example, sample.stop === 'length');
          count.n++;
          if (scored.outcome === 'right') count.right++;
          if (scored.outcome === 'ungradable') count.ungradable++;
          if ((scored.rules['format']?.score ?? 0) > 0) count.format++;
          if (sample.stop === 'length') count.truncated++;
          count.tokens += sample.tokenIds.length;
        }
      });
      done += batch.length;
      options.progress(done, total);
    }
    const shownExamples = items.map(item => item.example);
    const guess = chance(shownExamples);
    results.push({
      condition,
      n: count.n,
      right: count.right,
      ungradable: count.ungradable,
      accuracy: count.right / count.n,
      interval: wilson(count.right, count.n),
      formatRate: count.format / count.n,
      truncatedRate: count.truncated / count.n,
      lengthTokens: count.tokens / count.n,
      ...(guess === undefined ? {} : { chance: guess }),
      majority: majority(shownExamples),
    });
  }
  return {
    sources: [...new Set(examples.map(e => e.source))],
    conditions: results,
    languageBias: languageBias(results),
    seconds: (performance.now() - started) / 1000,
  };
}

async function show(
  prompter: Prompter,
  userMessage: UserMessage,
  { example, images }: { readonly example: Example; readonly images: readonly string[] },
  condition: Condition,
  options: EvaluationOptions,
): Promise<RenderedPrompt> {
  const pixels = condition === 'caption' ? [] : await Promise.all(images.map(file => prompter.image(file)));
  const seen = condition === 'question' ? pixels.map(blank) : pixels;
  return prompter.encode(options.system, userMessage(example, viewOf(condition)), seen, options.maxPromptTokens);
}

async function complete(
  model: Model,
  prompts: readonly RenderedPrompt[],
  batch: readonly { readonly example: Example }[],
  condition: Condition,
  { samples, temperature, generation: drawing, seed }: EvaluationOptions,
): Promise<readonly (readonly Sample[])[]> {
  const random = batch.flatMap(({ example }) =>
    Array.from({ length: samples }, (_, s) => new Random(seed, 'evaluation', condition, example.source, example.id, s)),
  );
  const generation = await Generation.start(model, prompts, { ...drawing, samples, temperature }, random);
  return (await generation.finish()) ?? [];
}

/** Accuracy of a guess among the choices, where every example has some. */
function chance(examples: readonly Example[]): number | undefined {
  const shares = examples.flatMap(e => (e.choices === undefined ? [] : [1 / e.choices.length]));
  return shares.length < examples.length ? undefined : shares.reduce((a, b) => a + b, 0) / shares.length;
}

/** Accuracy of always giving the most frequent gold answer. */
function majority(examples: readonly Example[]): number {
  const counts = new Map<string, number>();
  for (const { answer } of examples) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return Math.max(0, ...counts.values()) / examples.length;
}

/** How far the answers come without the image. */
export function languageBias(results: readonly ConditionResult[]): LanguageBias {
  const accuracy = (c: Condition): number | undefined => results.find(r => r.condition === c)?.accuracy;
  const [image, question, both] = [accuracy('image'), accuracy('question'), accuracy('image_caption')];
  return {
    ...(image !== undefined && image > 0 && question !== undefined ? { bias: question / image } : {}),
    ...(image !== undefined && both !== undefined ? { captionDependence: both - image } : {}),
  };
}
