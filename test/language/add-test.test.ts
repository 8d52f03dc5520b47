import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { addTest } from '../../src/language/add-test';
import { YamlSource } from '../../src/language/yaml-source';

describe('a test case written beside a rule', () => {
  const test = { completion: '<answer>4, "so"</answer>\nend', row: { answer: '4' }, score: 1 };

  /** The tests of the rule after one was added; all else must stay as it is. */
  function added(text: string, rule = 'brief'): readonly unknown[] {
    const edit = addTest('curriculum', YamlSource.of(text), rule, test);
    assert.ok(edit, text);
    const after = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    const read = (yaml: string) =>
      parse(yaml) as { rewards: Record<string, unknown> & { rules?: Record<string, unknown> } };
    const ruleIn = (yaml: string) =>
      (read(yaml).rewards.rules?.[rule] ?? read(yaml).rewards[rule]) as { tests?: readonly unknown[] };
    const without = (yaml: string) => {
      const root = read(yaml);
      const { tests: _, ...rest } = ruleIn(yaml);
      return { ...root, rewards: { ...root.rewards, rules: { ...root.rewards.rules, [rule]: rest }, [rule]: rest } };
    };
    assert.deepEqual(without(after), without(text), after);
    return ruleIn(after).tests ?? [];
  }

  it('makes a list where there is none, in blocks and in braces', () => {
    assert.deepEqual(added('rewards:\n  rules:\n    brief:\n      kind: length\n      budget: 3\nseed: 1\n'), [test]);
    assert.deepEqual(added('rewards:\n  rules:\n    brief: { kind: length, budget: 3 }\nseed: 1\n'), [test]);
    assert.deepEqual(added('rewards: { rules: { brief: {kind: length} } }'), [test]);
    assert.deepEqual(added('rewards: { format: { weight: 1 } }', 'format'), [test]);
  });

  it('adds to the list that is there', () => {
    const one = { completion: 'a', score: 0 };
    const inline = '{ completion: a, score: 0 }';
    assert.deepEqual(added(`rewards:\n  rules:\n    brief: { kind: length, tests: [${inline}] }\n`), [one, test]);
    assert.deepEqual(
      added(`rewards:\n  rules:\n    brief:\n      kind: length\n      tests:\n        - ${inline}\n  combine: {}\n`),
      [one, test],
    );
    assert.deepEqual(
      added(
        `rewards:\n  rules:\n    brief:\n      tests:\n      - completion: a\n        score: 0\n      kind: length\n`,
      ),
      [one, test],
    );
    assert.deepEqual(added('rewards: { rules: { brief: { kind: length, tests: [] } } }'), [test]);
  });

  it('is not made for a rule that the file has not', () => {
    assert.equal(addTest('curriculum', YamlSource.of('rewards: {}'), 'brief', test), undefined);
  });
});
