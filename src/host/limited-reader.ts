// Reads messages from a socket, and gives up one that sends more bytes than any message has without a message in them:
// the reader of vscode-jsonrpc keeps what comes until a message is whole, however long that one says it is.

import type { Socket } from 'node:net';
import { type DataCallback, type Disposable, SocketMessageReader } from 'vscode-jsonrpc/node';
import { withoutClock } from '../protocol/without-clock';

/** Nobody sends a message as large. */
const largestMessageBytes = 4 * 2 ** 20;

export class LimitedReader extends SocketMessageReader {
  private unread = 0;

  constructor(socket: Socket) {
    super(socket);
    withoutClock(this);
    socket.on('data', (bytes: Buffer) => {
      this.unread += bytes.length;
      if (this.unread > largestMessageBytes) socket.destroy();
    });
  }

  override listen(callback: DataCallback): Disposable {
    return super.listen(message => {
      this.unread = 0;
      callback(message);
    });
  }
}
