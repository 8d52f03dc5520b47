// What a phase would show, without a model's weights: rendered prompts with their tokens and images, and what the rules
// pay for the gold answer written as it is asked for, for a wrong one and for none.

import { phaseSettings } from '../config/resolved';
import type { Curriculum, Phase, PhaseSettings } from '../config/schema';
import { compileUserMessage } from '../data/views';
import { loadModelConfig } from '../model/config';
import { imageSize } from '../model/decode';
import { imageGrid } from '../model/images';
import { TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import type { Payment, PhasePreview, PreviewedImage, PreviewedPrompt } from '../protocol/preview';
import { compileRewards } from '../reward/compile';
import { Prompter } from '../rollout/prompter';
import { phaseOrder, type Shown } from './order';
import { loadRunData } from './sources';

export interface PreviewOptions {
  /** So many prompts, the first that a run would show. */
  readonly count: number;
  /** This example alone, by its id. */
  readonly example?: string;
}

export async function previewPhase(config: Curriculum, phase: Phase, options: PreviewOptions): Promise<PhasePreview> {
  const data = await loadRunData(config, [phase]);
  const sources = data.phases.get(phase.id) ?? [];
  const prompts = Math.min(options.count, phase.steps * phase.prompts);
  const shown =
    options.example === undefined
      ? phaseOrder(sources, 1, prompts, config.seed, phase.id).shown(0)
      : sources.flatMap(({ source, examples }): readonly Shown[] => {
          for (let i = 0; i < examples.length; i++) {
            const example = examples.at(i);
            if (example.id === options.example) return [{ example, view: source.view }];
          }
          return [];
        });
  if (shown.length === 0)
    throw new TriphaseError('usage', `Phase ${phase.id} shows no example with the id '${options.example}'.`);
  const modelConfig = await loadModelConfig(config.model.path);
  const prompter = await Prompter.load(config.model.path, modelConfig);
  const settings = phaseSettings(config, phase);
  return { sources: data.reports, prompts: await Promise.all(shown.map(s => preview(config, settings, prompter, s))) };
}

async function preview(
  config: Curriculum,
  settings: PhaseSettings,
  prompter: Prompter,
  { example, view }: Shown,
): Promise<PreviewedPrompt> {
  const { processor } = prompter;
  const files = view === 'text' ? [] : example.images;
  const grids = await Promise.all(files.map(file => imageGrid(file, processor)));
  const patch = processor.kind === 'settings' ? processor.patchSize : 0;
  const images = await Promise.all(
    files.map(async (file, i): Promise<PreviewedImage> => {
      const grid = grids[i] as (typeof grids)[number];
      const { width, height } = await imageSize(file);
      const [, rows, columns] = grid;
      const tokens = prompter.imageTokens([grid]);
      return { file, width, height, seenWidth: columns * patch, seenHeight: rows * patch, tokens };
    }),
  );
  const words = compileUserMessage(config.prompt)(example, view);
  // as long as it is: a run refuses what is too long, a preview shows it
  const prompt = prompter.tokens(config.prompt.system, words, grids, Number.MAX_SAFE_INTEGER);
  return {
    example,
    view,
    text: prompt.text,
    tokens: prompt.tokenIds.length,
    maxTokens: config.prompt.max_tokens,
    images,
    payments: payments(settings.rewards, example),
  };
}

/** What the rules pay for three completions. */
export function payments(rewards: PhaseSettings['rewards'], example: Example): readonly Payment[] {
  const score = compileRewards(rewards);
  const asked = (answer: string) => asAsked(rewards, answer);
  const completions = [
    { what: 'gold', completion: asked(example.answer) },
    { what: 'wrong', completion: asked(wrongAnswer(example)) },
    { what: 'empty', completion: '' },
  ] as const;
  return completions.map(({ what, completion }) => ({ what, completion, scored: score(completion, example, false) }));
}

/** The elements of the format rule, with the answer in that of the accuracy rule. */
function asAsked({ format, accuracy }: PhaseSettings['rewards'], answer: string): string {
  const tags = format.tags.includes(accuracy.tag) ? format.tags : [...format.tags, accuracy.tag];
  return tags.map(tag => `<${tag}>${tag === accuracy.tag ? answer : '…'}</${tag}>`).join('\n');
}

function wrongAnswer({ answer, answerKind, choices = [] }: Example): string {
  switch (answerKind) {
    case 'choice': {
      const letters = Array.from({ length: Math.max(2, choices.length) }, (_, i) => String.fromCharCode(65 + i));
      const gold = /^\W*([A-Za-z])\W*$/.exec(answer)?.[1]?.toUpperCase() ?? letters[choices.indexOf(answer)];
      return letters.find(letter => letter !== gold) ?? 'A';
    }
    case 'number':
      return Number.isFinite(Number(answer)) ? String(Number(answer) + 1) : '-987654321';
    case 'string':
      return `not ${answer}`;
  }
}
