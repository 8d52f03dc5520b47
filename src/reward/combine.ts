// Many scores, one reward.

import type { Combination, RuleWeight } from '../config/reward-rules';
import type { RuleScore } from '../protocol/rewards';

export function weightAt(weight: RuleWeight, step: number): number {
  if (typeof weight === 'number') return weight;
  const done = Math.min(1, Math.max(0, (step - weight.after) / weight.steps));
  const share = weight.shape === 'linear' ? done : (1 - Math.cos(Math.PI * done)) / 2;
  return weight.from + (weight.to - weight.from) * share;
}

type Scores = Readonly<Record<string, RuleScore>>;

/** Added to the deviation of a rule's scores in a group, as to that of rewards. */
const EPSILON = 1e-6;

/** The rewards of a group. A rule that was not asked, or has no score, adds nothing and closes no gate but its own. */
export function combined(
  group: readonly Scores[],
  weights: Readonly<Record<string, number>>,
  { by, gates, closed }: Combination,
): readonly number[] {
  const counts = (score: RuleScore | undefined): score is RuleScore =>
    score !== undefined && score.off === undefined && score.error === undefined;
  const sum = (scores: Scores, value: (name: string, score: RuleScore) => number) =>
    Object.entries(weights).reduce((total, [name, weight]) => {
      const score = scores[name];
      return weight !== 0 && counts(score) ? total + weight * value(name, score) : total;
    }, 0);
  if (by !== 'normalised')
    return group.map(scores => {
      const shut =
        by === 'gates' && gates.some(name => scores[name]?.off === undefined && !((scores[name]?.score ?? 0) > 0));
      return shut ? closed : sum(scores, (_, { score }) => score);
    });
  const spread = new Map(
    Object.keys(weights).map(name => {
      const values = group.flatMap(scores => (counts(scores[name]) ? [scores[name].score] : []));
      const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length - 1));
      return [name, { mean, deviation }] as const;
    }),
  );
  return group.map(scores =>
    sum(scores, (name, { score }) => {
      const { mean, deviation } = spread.get(name)!;
      return (score - mean) / (deviation + EPSILON);
    }),
  );
}
