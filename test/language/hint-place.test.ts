import assert from 'node:assert/strict';
import { dismissal, hintPlace, isDismissed } from '../../src/language/hint-place';
import type { FileKind } from '../../src/language/schema-walk';
import { YamlSource } from '../../src/language/yaml-source';

describe('a hint in a file', () => {
  const place = (text: string, rule: string | undefined, kind: FileKind = 'curriculum') => {
    const { start, end } = hintPlace(kind, new YamlSource(text), rule);
    return text.slice(start, end);
  };

  it('stands at the rule that it is about, or at the one that says what is right', () => {
    const text = 'name: a\nrewards:\n  accuracy: { weight: 1 }\n  rules:\n    short: { kind: length }\n';
    assert.equal(place(text, 'short'), 'short');
    assert.equal(place(text, undefined), 'accuracy');
    assert.equal(place('rules:\n  short: { kind: length }\n', 'short', 'rewards'), 'short');
  });

  it('stands next to it where the rule is not written there', () => {
    assert.equal(place('rewards: { file: shared.yaml, accuracy: { weight: 1 } }\n', 'short'), 'shared.yaml');
    assert.equal(place('name: a\nrewards: { combine: { by: sum } }\n', 'format'), 'rewards');
    assert.equal(place('name: a\n', 'format'), 'name');
    assert.equal(place('', 'format'), '');
  });

  it('is dismissed by a comment behind the rule, which is there once', () => {
    for (const end of ['\n', '\r\n', '']) {
      const text = `rules:\n  short: { kind: length }${end}`;
      const source = new YamlSource(text);
      const at = hintPlace('rewards', source, 'short');
      assert.equal(isDismissed(source, at, 'never-fires'), false);
      const edit = dismissal(source, at, 'never-fires');
      const after = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
      assert.equal(after, `rules:\n  short: { kind: length } # not a problem: never-fires${end}`);
      const dismissed = new YamlSource(after);
      assert.ok(isDismissed(dismissed, hintPlace('rewards', dismissed, 'short'), 'never-fires'));
      assert.equal(isDismissed(dismissed, hintPlace('rewards', dismissed, 'short'), 'never'), false);
      assert.deepEqual(
        dismissed.entries(['rules', 'short']).map(({ key }) => key),
        ['kind'],
      );
    }
  });
});
