// The process of an interactive session: dist/session.js. Answers over its standard streams until they end, one branch at
// a time; a request that is cancelled ends after the token at hand.

import { createMessageConnection, ResponseError, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { toErrorRecord } from '../protocol/error-record';
import { describe, TriphaseError } from '../protocol/errors';
import { branchNotification, branchRequest } from '../protocol/session';
import { InteractiveSession } from './session';

/** As the Language Server Protocol numbers it. */
const REQUEST_CANCELLED = -32800;

const count = z.int().min(0);
const branchParams = z.object({
  folder: z.string().min(1),
  ref: z.object({ step: count, group: count, sample: count }),
  token: count,
  force: z.union([z.object({ id: count }), z.object({ text: z.string() })]).exactOptional(),
  checkpoint: z.string().exactOptional(),
  samples: z.int().min(1).max(64),
  seed: count,
  temperature: z.number().min(0).exactOptional(),
});

const connection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
const session = new InteractiveSession();
let before: Promise<unknown> = Promise.resolve();

connection.onRequest(branchRequest, async (params, token) => {
  const stop = new AbortController();
  token.onCancellationRequested(() => stop.abort());
  if (token.isCancellationRequested) stop.abort();
  const answered = before.then(async () => {
    stop.signal.throwIfAborted();
    const parsed = branchParams.safeParse(params);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new TriphaseError('usage', `${issue?.path.join('.')}: ${issue?.message}.`);
    }
    const told = (progress: Parameters<Parameters<InteractiveSession['branch']>[1]>[0]) =>
      void connection.sendNotification(branchNotification, progress);
    return session.branch(parsed.data, told, stop.signal);
  });
  before = answered.catch(() => undefined);
  try {
    return await answered;
  } catch (error) {
    if (stop.signal.aborted) return new ResponseError(REQUEST_CANCELLED, 'cancelled', toErrorRecord(error));
    return new ResponseError(1, describe(error), toErrorRecord(error));
  }
});
connection.onClose(() => process.exit(0));
process.stdin.on('end', () => process.exit(0));
connection.listen();
