// The rules of a config as a re-scoring asks them: phase by phase.

import { phaseSettings } from '../config/resolved';
import type { Curriculum } from '../config/schema';
import { advantageOptions } from '../curriculum/settings';
import type { RescoreQuestion } from '../query/rescore-report';

export function rescoreQuestion(config: Curriculum): RescoreQuestion {
  return {
    rewards: config.rewards,
    phases: Object.fromEntries(config.phases.map(phase => [phase.id, phaseSettings(config, phase).rewards])),
    seed: config.seed,
    advantage: advantageOptions(config),
  };
}
