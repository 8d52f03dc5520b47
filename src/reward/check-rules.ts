// Whether the rules of a config can be asked: what the schema cannot see of expressions and scripts.

import type { LoadedCurriculum } from '../config/curriculum';
import { CurriculumError, type Diagnostic } from '../config/diagnostics';
import { ruleFaults } from './rule-set';

/** Throws a CurriculumError that names all that cannot, each with its place. */
export async function checkRules({ config, place }: LoadedCurriculum): Promise<void> {
  const faults = (await ruleFaults(config.rewards)).map(
    ({ path, message, remedy, place: own }): Diagnostic => ({
      message,
      ...(remedy === undefined ? {} : { remedy }),
      place: own ?? place(['rewards', ...path]),
    }),
  );
  const [first, ...others] = faults;
  if (first !== undefined) throw new CurriculumError([first, ...others]);
}
