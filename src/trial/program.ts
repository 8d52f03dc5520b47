// The process that tries rules: dist/trial.js. Answers over its standard streams until they end.

import { createMessageConnection, ResponseError, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { toErrorRecord } from '../protocol/error-record';
import { describe, TriphaseError } from '../protocol/errors';
import type { ErrorRecord } from '../protocol/run';
import { testRulesRequest, triedNotification, tryRequest } from '../protocol/trial';
import { RuleTrials } from './rule-trials';

/** As the Language Server Protocol numbers it. */
const REQUEST_CANCELLED = -32800;

const count = z.int().min(0);
const rulesText = z.object({ kind: z.enum(['curriculum', 'rewards']), text: z.string(), file: z.string() });
const tryParams = rulesText.extend({
  trial: count,
  folder: z.string().min(1),
  at: z.object({ step: count, group: count, sample: count }).exactOptional(),
});

const connection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
const trials = new RuleTrials();

connection.onRequest(tryRequest, (params, token) => {
  const stop = new AbortController();
  token.onCancellationRequested(() => stop.abort());
  return answered(stop.signal, () => {
    const asked = parse(tryParams, params);
    return trials.try(
      asked,
      tried => void connection.sendNotification(triedNotification, { trial: asked.trial, tried }),
      stop.signal,
    );
  });
});
connection.onRequest(testRulesRequest, params =>
  answered(new AbortController().signal, () => trials.test(parse(rulesText, params))),
);
connection.onClose(() => process.exit(0));
process.stdin.on('end', () => process.exit(0));
connection.listen();

async function answered<T>(signal: AbortSignal, give: () => Promise<T>): Promise<T | ResponseError<ErrorRecord>> {
  try {
    return await give();
  } catch (error) {
    return new ResponseError(signal.aborted ? REQUEST_CANCELLED : 1, describe(error), toErrorRecord(error));
  }
}

function parse<T>(schema: z.ZodType<T>, params: unknown): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TriphaseError('usage', `${issue?.path.join('.')}: ${issue?.message}.`);
}
