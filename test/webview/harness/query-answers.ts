// The questions of the views, answered by the query process as in the extension.

import path from 'node:path';
import type { QuestionName, Questions } from '../../../src/protocol/query';
import { QueryProcess } from '../../../src/query/client';
import type { Answer } from './server';

export function queryAnswers(): { readonly answer: Answer; readonly close: () => Promise<void> } {
  const query = new QueryProcess({
    program: path.resolve('dist/query.js'),
    onLog: line => process.stderr.write(`query: ${line}\n`),
  });
  const answer: Answer = (name, params, wishes) => query.ask(name, params as Questions[QuestionName]['params'], wishes);
  return { answer, close: () => query.close() };
}
