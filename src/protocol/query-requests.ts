// The questions of query.ts as requests of the query process: one request a question. One that is cancelled is broken off
// where it stands; the first hits of a search, and how far an index is that it waits for, are told before its answer.

import { ProgramRequest } from './program-request';
import type { QuestionName, QuestionNews, Questions } from './query';

export const questionRequest = <N extends QuestionName>(name: N) =>
  new ProgramRequest<Questions[N]['params'], Questions[N]['result'], QuestionNews>(`triphase/query/${name}`);
