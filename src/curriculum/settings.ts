// Settings of the config in the words of the room that uses them.

import type { Curriculum, PhaseSettings } from '../config/schema';
import type { AdamWOptions } from '../tensor/adamw';
import type { Frozen } from '../train/gradient';

export const adamWOptions = ({ optimizer }: PhaseSettings, learningRate: number): AdamWOptions => ({
  learningRate,
  betas: optimizer.betas,
  eps: optimizer.eps,
  weightDecay: optimizer.weight_decay,
});

export const frozenParts = ({ model }: Curriculum): Frozen => new Set(model.freeze);
