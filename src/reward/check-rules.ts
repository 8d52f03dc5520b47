// Whether the rules of a config can be asked: what the schema cannot see of expressions and scripts.

import type { LoadedCurriculum } from '../config/curriculum';
import { CurriculumError, type Diagnostic } from '../config/diagnostics';
import { ruleFaults } from './rule-set';
import { Sandbox } from './sandbox';

/** Throws a CurriculumError that names all that cannot, each with its place. */
export async function checkRules(loaded: LoadedCurriculum): Promise<void> {
  const [first, ...others] = ruleDiagnostics(await Sandbox.open(), loaded);
  if (first !== undefined) throw new CurriculumError([first, ...others]);
}

export function ruleDiagnostics(sandbox: Sandbox, { config, place }: LoadedCurriculum): readonly Diagnostic[] {
  return ruleFaults(sandbox, config.rewards).map(({ path, message, remedy, place: own }) => ({
    message,
    ...(remedy === undefined ? {} : { remedy }),
    place: own ?? place(['rewards', ...path]),
  }));
}
