import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { withValue } from '../../src/language/set-value';

describe('a value that is set in a YAML text', () => {
  const written = `# what it is about
name: shapes   # ours

rewards: { format: {weight: .1}, accuracy:   { weight: 0.9 } } # paid
run:
  # where it goes
  folder: "runs"
phases:
  - {id: text,   view: text}
`;

  it('takes the place of the one that was there, and of nothing else', () => {
    assert.equal(withValue(written, ['name'], 'other'), written.replace('name: shapes', 'name: other'));
    assert.equal(withValue(written, ['run', 'folder'], 'there'), written.replace('"runs"', 'there'));
  });

  it('stands in its group, whether that is of lines, in braces, empty, or not there yet', () => {
    const from = 'runs/a b/checkpoints/12';
    for (const [text, only] of [
      [written, '  folder: "runs"'],
      ['name: a\nrun: { folder: runs } # here\n', 'folder: runs } # here'],
      ['name: a\nrun: {\n  folder: runs }\n', 'folder: runs'],
      ['run:\nname: a # kept\n', 'name: a # kept'],
      ['run: {} # empty\nname: a\n', '# empty'],
      ['name: a # last line', 'name: a # last line'],
      ['', ''],
    ] as const) {
      const changed = withValue(text, ['run', 'from'], from);
      assert.ok(changed.includes(only), changed);
      const before = (parse(text) ?? {}) as { readonly run?: object };
      assert.deepEqual(parse(changed), { ...before, run: { ...before.run, from } }, changed);
    }
  });

  it('is read as the text that it is', () => {
    for (const name of ['12', 'true', 'a: b', 'a #b', "it's", '- x', 'ü', ' ', '2026-01-01', '.5', 'no'])
      assert.deepEqual(parse(withValue(written, ['name'], name)).name, name);
  });
});
