// Rules asked about one completion alone.

import type { Example } from '../../src/protocol/example';
import type { Scored } from '../../src/protocol/rewards';
import { compileRules, type Rewards } from '../../src/reward/rule-set';

export type ScoreAlone = (completion: string, example: Example, truncated: boolean) => Scored;

export async function scoreAlone(
  rewards: Partial<Rewards> & Pick<Rewards, 'format' | 'accuracy'>,
): Promise<ScoreAlone> {
  const set = await compileRules({ rules: {}, combine: { by: 'sum', gates: [], closed: 0 }, ...rewards });
  return (completion, example, truncated) => {
    const sample = { completion, example, tokens: undefined, truncated };
    return set.score([[sample]], { step: 0, phase: '', seed: 0 })[0]![0]!;
  };
}
