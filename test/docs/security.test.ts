// What docs/security.md says is held by tests that are there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const text = readFileSync('docs/security.md', 'utf8');

describe('docs/security.md', () => {
  const rows = text.split('\n').filter(line => line.startsWith('| ') && !/^\| (-|what comes in)/.test(line));

  it('has a line for each kind of guest', () => {
    for (const guest of [
      'workspace files',
      'text of a model',
      'rule expressions and scripts',
      'run folders from others',
    ])
      assert.ok(
        rows.some(row => row.startsWith(`| ${guest}`)),
        guest,
      );
    assert.match(text, /## Other users of the machine/);
  });

  for (const row of rows) {
    const [, guest = '', , by = ''] = row.split('|').map(cell => cell.trim());
    it(`names the test of: ${guest}, ${by}`, () => {
      const [, file = '', name = ''] = /^`(test\/[^`]+)`: (.+)$/.exec(by) ?? [];
      assert.notEqual(file, '', `no test is named in: ${row}`);
      assert.ok(readFileSync(file, 'utf8').includes(name), `${file} has nothing named '${name}'`);
    });
  }

  it('names files that are there in its other lines', () => {
    for (const [, file = ''] of text.matchAll(/`(test\/[\w/-]+\.ts)`/g)) assert.ok(readFileSync(file, 'utf8') !== '');
  });
});
