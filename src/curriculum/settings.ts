// Settings of the config in the words of the room that uses them.

import type { Curriculum, PhaseSettings } from '../config/schema';
import type { GenerationOptions } from '../rollout/generation';
import { StopTexts } from '../rollout/stop-texts';
import type { AdamWOptions } from '../tensor/adamw';
import type { Tokenizer } from '../text/tokenizer';
import type { Frozen } from '../train/gradient';

export const adamWOptions = ({ optimizer }: PhaseSettings, learningRate: number): AdamWOptions => ({
  learningRate,
  betas: optimizer.betas,
  eps: optimizer.eps,
  weightDecay: optimizer.weight_decay,
});

export const frozenParts = ({ model }: Curriculum): Frozen => new Set(model.freeze);

/** How completions are drawn, in the tokens of the model. */
export function generationOptions(generation: Curriculum['generation'], tokenizer: Tokenizer): GenerationOptions {
  const { stop, prefix } = generation;
  return {
    samples: generation.samples,
    temperature: generation.temperature,
    topK: generation.top_k,
    topP: generation.top_p,
    minP: generation.min_p,
    repetitionPenalty: generation.repetition_penalty,
    maxTokens: generation.max_tokens,
    stopIds: tokenizer.eosIds,
    stop: new StopTexts(stop, ids => tokenizer.decode(ids, { skipSpecial: true })),
    prefix: tokenizer.encode(prefix),
    logProbs: generation.log_probs,
    removeEnded: generation.remove_ended,
  };
}
