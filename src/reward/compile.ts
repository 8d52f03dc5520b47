// Format and accuracy, compiled into one function that scores a completion alone: what an evaluation asks. Training asks
// all rules, by rule-set.ts.

import type { PhaseSettings } from '../config/schema';
import type { Example } from '../protocol/example';
import type { Scored } from '../protocol/rewards';
import { gradeAnswer } from './accuracy';
import { compileFormat } from './format';

/** Scores the completion alone, without its prompt; `truncated` where the token limit ended it. */
export type Score = (completion: string, example: Example, truncated: boolean) => Scored;

export function compileRewards(rewards: Pick<PhaseSettings['rewards'], 'format' | 'accuracy'>): Score {
  const format = compileFormat(rewards.format);
  return (completion, example, truncated) => {
    const form = format(completion, truncated);
    const { answer, ...accuracy } = gradeAnswer(rewards.accuracy, completion, example, truncated);
    return {
      reward: rewards.format.weight * form.score + rewards.accuracy.weight * accuracy.score,
      rules: { format: form, accuracy },
      outcome: accuracy.outcome,
      answer,
    };
  };
}
