// What docs/security.md says is held by tests that are there.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

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
      // the name of a test, of a group of them or of a border, and not just words that stand somewhere
      const named = [...readFileSync(file, 'utf8').matchAll(/(?:\bit|\bdescribe|name:)[ (]*(['"`])(.*?)\1/g)];
      assert.ok(
        named.some(([, , title = '']) => title.includes(name)),
        `${file} has no test named '${name}'`,
      );
    });
  }

  it('names a test in each paragraph about other users of the machine, and files that are there', () => {
    const [, users = ''] = /## Other users of the machine\n(.*?)\n## /s.exec(text) ?? [];
    const paragraphs = users.trim().split('\n\n');
    assert.ok(paragraphs.length > 1);
    for (const paragraph of paragraphs) assert.match(paragraph, /`test\/[\w/.-]+\.test\.ts`/);
    for (const [, file = ''] of text.matchAll(/`((?:test|src)\/[\w/.-]+\.ts)`/g)) assert.ok(existsSync(file), file);
  });
});
