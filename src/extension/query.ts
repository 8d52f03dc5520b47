// The query process of this window.

import { TriphaseError } from '../protocol/errors';
import type { QuestionName, Questions } from '../protocol/query';
import type { Wishes } from './relay';

export interface Query {
  ask<N extends QuestionName>(name: N, params: Questions[N]['params'], wishes: Wishes): Promise<Questions[N]['result']>;
}

export function openQuery(): Query {
  return {
    ask: async name => {
      throw new TriphaseError('usage', `There is no query process yet that answers '${name}'.`);
    },
  };
}
