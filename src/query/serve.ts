// The query process: questions in on stdin, answers out on stdout, JSON-RPC. It ends when its stdin does.

import {
  type CancellationToken,
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { toErrorRecord } from '../protocol/error-record';
import { describe } from '../protocol/errors';
import type { QuestionName } from '../protocol/query';
import { hitsNotification, type QuestionParams, questionRequest } from '../protocol/query-requests';
import type { ErrorRecord } from '../protocol/run';
import { type Answers, openAnswers } from './answer/answers';
import { parseParams } from './answer/params';
import { openReader } from './table/open';

async function main(): Promise<void> {
  const { answers, close } = openAnswers(
    await openReader(process.env['TRIPHASE_QUERY_READER'] === 'plain' ? 'plain' : 'duckdb'),
  );
  const connection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const serve = <N extends QuestionName>(name: N, answer: Answers[N]) => {
    const { method } = questionRequest(name);
    const handle = async ({ params, hits: to }: QuestionParams<N>, token: CancellationToken): Promise<unknown> => {
      const cancel = new AbortController();
      token.onCancellationRequested(() => cancel.abort());
      try {
        return await answer(parseParams(name, params), {
          signal: cancel.signal,
          ...(to === undefined
            ? {}
            : { onHits: hits => void connection.sendNotification(hitsNotification, { to, hits }) }),
        });
      } catch (error) {
        return failure(error, token);
      }
    };
    connection.onRequest<unknown, ErrorRecord>(method, handle);
  };
  for (const name of Object.keys(answers) as readonly QuestionName[]) serve(name, answers[name]);
  process.once('SIGTERM', () => void close().finally(() => process.exit(0)));
  // a window that is gone asks nothing more
  connection.onClose(() => void close().finally(() => process.exit(0)));
  connection.listen();
}

/** As LSP numbers it. */
const requestCancelled = -32800;

const failure = (error: unknown, token: CancellationToken): ResponseError<ErrorRecord> =>
  token.isCancellationRequested
    ? new ResponseError(requestCancelled, 'cancelled')
    : new ResponseError(1, describe(error), toErrorRecord(error));

main().catch((error: unknown) => {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
});
