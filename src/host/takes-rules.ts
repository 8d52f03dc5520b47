// Whether a run takes other rules at this moment: it is under way, and a step is still to begin.

import { TriphaseError } from '../protocol/errors';
import type { RunState } from '../protocol/run-state';
import type { RuleVersions } from './rule-versions';

const states: ReadonlySet<RunState['kind']> = new Set(['starting', 'running', 'pausing', 'paused']);

/** Throws where it does not. @param steps of all phases; 0 where that is not known yet */
export function takesRules(
  folder: string,
  { kind }: RunState,
  steps: number,
  rules: RuleVersions | undefined,
): RuleVersions {
  if (rules === undefined || !states.has(kind))
    throw new TriphaseError(
      'usage',
      `The run takes no other rules: it is ${kind}.`,
      'A run that goes on takes them; resume it first.',
      { file: folder },
    );
  if (steps > 0 && rules.nextStep > steps)
    throw new TriphaseError(
      'usage',
      `The run takes no other rules: step ${steps} is its last, and it has begun.`,
      'See what they would have paid with `triphase rescore`.',
      { file: folder },
    );
  return rules;
}
