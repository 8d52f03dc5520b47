// The questions of query.ts as requests of the query process: one request a question. One that is cancelled is broken off
// where it stands; the first hits of a search are told before its answer.

import { ProgramRequest } from './program-request';
import type { QuestionName, Questions, SearchHits } from './query';

export const questionRequest = <N extends QuestionName>(name: N) =>
  new ProgramRequest<Questions[N]['params'], Questions[N]['result'], SearchHits>(`triphase/query/${name}`);
