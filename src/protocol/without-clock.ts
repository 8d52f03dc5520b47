// A reader of vscode-jsonrpc with half a message sets a clock that nothing stops, the end of its connection neither: it
// would keep the process for good.

import type { ReadableStreamMessageReader } from 'vscode-jsonrpc/node';

/** The reader, which waits for the rest of a message as long as its stream is there, and no longer. */
export function withoutClock<R extends ReadableStreamMessageReader>(reader: R): R {
  reader.partialMessageTimeout = 0;
  return reader;
}
