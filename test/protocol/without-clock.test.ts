import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { StreamMessageReader } from 'vscode-jsonrpc/node';
import { withoutClock } from '../../src/protocol/without-clock';

describe('half a message', () => {
  /** Clocks that are left where a stream ends in the middle of a message. */
  const left = async (of: (reader: StreamMessageReader) => StreamMessageReader): Promise<number> => {
    const clocks = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
    // mocha's own is set by then
    await new Promise(setImmediate);
    const before = clocks();
    const stream = new PassThrough();
    const reader = of(new StreamMessageReader(stream));
    reader.listen(() => assert.fail('there is no message'));
    stream.end('Content-Length: 90\r\n\r\n{"jsonrpc":');
    await new Promise(resolve => stream.on('close', resolve));
    reader.dispose();
    const after = clocks() - before;
    reader.partialMessageTimeout = 0;
    return after;
  };

  it('keeps no process, where the library would', async () => {
    assert.equal(await left(reader => reader), 1);
    assert.equal(await left(withoutClock), 0);
  });
});
