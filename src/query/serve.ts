// The query process: dist/query.js.

import { ProgramServer } from '../program/serve';
import { describe } from '../protocol/errors';
import type { QuestionName } from '../protocol/query';
import { questionRequest } from '../protocol/query-requests';
import { type Answers, openAnswers } from './answer/answers';
import { parseQuestion } from './answer/params';
import { openReader } from './table/open';

async function main(): Promise<void> {
  const reader = await openReader(process.env['TRIPHASE_QUERY_READER'] === 'plain' ? 'plain' : 'duckdb');
  const { answers, close } = openAnswers(reader);
  const server = new ProgramServer();
  const serve = <N extends QuestionName>(name: N, answer: Answers[N]) =>
    server.on(questionRequest(name), (params, { signal, tell }) =>
      answer(parseQuestion(name, params), {
        signal,
        ...(tell === undefined
          ? {}
          : {
              onHits: hits => tell({ kind: 'hits', hits }),
              onIndexing: progress => tell({ kind: 'indexing', progress }),
            }),
      }),
    );
  for (const name of Object.keys(answers) as readonly QuestionName[]) serve(name, answers[name]);
  server.listen(close);
}

main().catch((error: unknown) => {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
});
