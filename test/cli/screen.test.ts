import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { Screen } from '../../src/cli/screen';

describe('screen', () => {
  let written = '';

  /** A stream that says it is a terminal of so many columns, or none. */
  const stream = (columns?: number): NodeJS.WriteStream => {
    written = '';
    const through = new PassThrough();
    through.on('data', chunk => {
      written += chunk;
    });
    return Object.assign(
      through,
      columns === undefined ? {} : { isTTY: true, columns },
    ) as unknown as NodeJS.WriteStream;
  };
  const { NO_COLOR: noColor, TERM: term } = process.env;

  beforeEach(() => {
    delete process.env['NO_COLOR'];
    process.env['TERM'] = 'xterm';
  });
  after(() => {
    Object.assign(process.env, noColor === undefined ? {} : { NO_COLOR: noColor });
    if (term === undefined) delete process.env['TERM'];
    else process.env['TERM'] = term;
  });

  it('keeps one live line below the finished ones', () => {
    const screen = new Screen(stream(40));
    screen.status('step 1');
    screen.line('done');
    screen.status('');
    assert.equal(written, '\r\x1b[2Kstep 1\r\x1b[2Kdone\n\r\x1b[2Kstep 1\r\x1b[2K');
  });

  it('cuts the live line before it wraps, colours apart', () => {
    const screen = new Screen(stream(10));
    screen.status('0123456789');
    assert.equal(written, '\r\x1b[2K01234567…');
    screen.status(screen.style('red', '012345'));
    assert.ok(written.endsWith('\x1b[31m012345\x1b[39m'));
  });

  it('has neither live line nor colour elsewhere than on a terminal', () => {
    const screen = new Screen(stream());
    screen.status('step 1');
    screen.line(screen.style('red', 'done'));
    assert.equal(written, 'done\n');
  });

  it('respects NO_COLOR, and does not move the cursor of a dumb terminal', () => {
    process.env['NO_COLOR'] = '1';
    assert.equal(new Screen(stream(40)).style('red', 'x'), 'x');
    process.env['NO_COLOR'] = '';
    assert.equal(new Screen(stream(40)).style('red', 'x'), '\x1b[31mx\x1b[39m');
    process.env['TERM'] = 'dumb';
    const screen = new Screen(stream(40));
    screen.status('step 1');
    assert.equal(written, '');
  });
});
