// The other end of a host's socket: for windows that come and go.

import { createConnection } from 'node:net';
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from 'vscode-jsonrpc/node';
import {
  type AppliedRules,
  type ApplyRulesParams,
  applyRulesRequest,
  type EventsPage,
  type EventsParams,
  eventNotification,
  eventsRequest,
  type HostStatus,
  type StopParams,
  stateNotification,
  statusRequest,
  stopRequest,
} from '../protocol/host';
import type { HostInfo, RunEvent, RunState } from '../protocol/run';

export interface HostClient {
  status(): Promise<HostStatus>;
  events(params: EventsParams): Promise<EventsPage>;
  stop(params: StopParams): Promise<HostStatus>;
  applyRules(params: ApplyRulesParams): Promise<AppliedRules>;
  /** Every event numbered above `after`, in order, those to come included. Resolves when the past ones are told. */
  follow(after: number, take: (event: RunEvent) => void): Promise<void>;
  onState(take: (state: RunState) => void): void;
  /** The host is gone; everything that it sent has been told of. */
  onClose(take: () => void): void;
  close(): void;
}

/** Rejects when no host listens there any more. */
export async function connectHost(host: Pick<HostInfo, 'socket'>): Promise<HostClient> {
  const socket = createConnection(host.socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => socket.destroy());
  const connection = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  connection.listen();
  let handled = 0;
  const events = (params: EventsParams) => connection.sendRequest(eventsRequest, params);
  return {
    status: () => connection.sendRequest(statusRequest),
    events,
    stop: params => connection.sendRequest(stopRequest, params),
    applyRules: params => connection.sendRequest(applyRulesRequest, params),
    async follow(after, take) {
      connection.onNotification(eventNotification, event => {
        handled += 1;
        take(event);
      });
      for (let page: EventsPage | undefined, last = after; page === undefined || page.more; ) {
        page = await events({ after: last, follow: true });
        for (const event of page.events) take(event);
        last = page.events.at(-1)?.n ?? last;
      }
    },
    onState(take) {
      connection.onNotification(stateNotification, take);
    },
    onClose(take) {
      // messages that came before the end are handled one a turn: until none is
      const afterTheLast = (seen: number) => setImmediate(() => (handled === seen ? take() : afterTheLast(handled)));
      socket.once('close', () => afterTheLast(-1));
    },
    close() {
      connection.dispose();
      socket.destroy();
    },
  };
}
