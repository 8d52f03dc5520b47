// One client of a host's socket: every request is answered, with a result or a typed error.

import type { Socket } from 'node:net';
import path from 'node:path';
import { createMessageConnection, ResponseError, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { toErrorRecord } from '../protocol/error-record';
import { describe, TriphaseError } from '../protocol/errors';
import {
  activityNotification,
  applyRulesRequest,
  type EventsPage,
  eventNotification,
  eventsRequest,
  stateNotification,
  statusRequest,
  stopRequest,
} from '../protocol/host';
import type { Activity, ErrorRecord, RunEvent, RunState } from '../protocol/run';
import type { Host } from './host';

const largestPage = 1000;
/** A client that reads so slowly is cut off; it asks again from where it stood. */
const mostUnreadBytes = 16 * 2 ** 20;

const eventsParams = z.object({
  after: z.int().min(0),
  limit: z.int().min(1).optional(),
  follow: z.boolean(),
});
const applyRulesParams = z.object({
  config: z.string().refine(path.isAbsolute, 'not an absolute path'),
  sets: z.array(z.string()).exactOptional(),
});
const stopParams = z.object({ when: z.enum(['after-step', 'now']) });

/** Returns what ends the connection, after everything that was sent. */
export function serveClient(socket: Socket, host: Host): () => Promise<void> {
  const connection = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  let following = false;

  let sent = Promise.resolve();

  const send = (write: () => Promise<void>) => {
    if (socket.writableLength > mostUnreadBytes) socket.destroy();
    else sent = write().catch(() => void socket.destroy());
  };
  const tellEvent = (event: RunEvent) => {
    if (following) send(() => connection.sendNotification(eventNotification, event));
  };
  const tellState = (state: RunState) => send(() => connection.sendNotification(stateNotification, state));
  const tellActivity = (activity: Activity) => {
    // only the latest matters: none is queued behind another
    if (socket.writableLength === 0) send(() => connection.sendNotification(activityNotification, activity));
  };
  host.events.on('event', tellEvent);
  host.events.on('activity', tellActivity);
  host.events.on('state', tellState);
  socket.on('close', () => {
    host.events.off('event', tellEvent);
    host.events.off('activity', tellActivity);
    host.events.off('state', tellState);
    connection.dispose();
  });

  connection.onRequest(statusRequest, () => answer(() => host.status));
  connection.onRequest(eventsRequest, params =>
    answer((): EventsPage => {
      const { after, limit = largestPage, follow } = parse(eventsParams, params, eventsRequest.method);
      const events = host.eventsSince(after, Math.min(limit, largestPage));
      const more = (events.at(-1)?.n ?? after) < host.status.lastEvent;
      following ||= follow && !more;
      return { events, more };
    }),
  );
  connection.onRequest(stopRequest, params =>
    answer(() => {
      const { when } = parse(stopParams, params, stopRequest.method);
      // the answer goes out before the process ends
      if (when === 'now') setImmediate(() => host.stop('now'));
      else host.stop('after-step');
      return host.status;
    }),
  );
  connection.onRequest(applyRulesRequest, params =>
    answerAsync(() => host.applyRules(parse(applyRulesParams, params, applyRulesRequest.method))),
  );
  connection.onError(() => socket.destroy());
  connection.listen();
  return async () => {
    await sent;
    connection.end();
  };
}

function answer<T>(give: () => T): T | ResponseError<ErrorRecord> {
  try {
    return give();
  } catch (error) {
    return new ResponseError(1, describe(error), toErrorRecord(error));
  }
}

async function answerAsync<T>(give: () => Promise<T>): Promise<T | ResponseError<ErrorRecord>> {
  try {
    return await give();
  } catch (error) {
    return new ResponseError(1, describe(error), toErrorRecord(error));
  }
}

function parse<T>(schema: z.ZodType<T>, params: unknown, method: string): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TriphaseError('usage', `${method} cannot be understood: ${issue?.path.join('.')}: ${issue?.message}.`);
}
