import assert from 'node:assert/strict';
import { codeOfRule, placeOfRule } from '../../src/language/rule-place';
import type { FileKind } from '../../src/language/schema-walk';
import { YamlSource } from '../../src/language/yaml-source';

const text = `rewards:
  file: shared.rewards.yaml
  format: { weight: 0.1 }
  rules:
    odd: { kind: score, expression: tokens % 2, when: step > 3 }
    calm: { kind: script, file: calm.ts }
    brief: { kind: length }
`;

describe('where a rule stands', () => {
  it('is what it says, and nowhere where it is not written', () => {
    const place = (rule: string) => {
      const range = placeOfRule('curriculum', new YamlSource(text), rule);
      return range && text.slice(range.start, range.end);
    };
    assert.equal(place('format'), '{ weight: 0.1 }');
    assert.equal(place('brief'), '{ kind: length }');
    assert.equal(place('accuracy'), undefined);
    assert.equal(placeOfRule('rewards', new YamlSource('rules: { odd: {} }'), 'odd')?.start, 14);
  });
});

describe('where a rule says what it computes', () => {
  const place = (rule: string, part: 'condition' | 'score', written = text, kind: FileKind = 'curriculum') => {
    const range = codeOfRule(kind, new YamlSource(written), rule, part);
    return range && written.slice(range.start, range.end);
  };

  it('is its expression, the script that it names, or its condition', () => {
    assert.equal(place('odd', 'score'), 'tokens % 2');
    assert.equal(place('odd', 'condition'), 'step > 3');
    assert.equal(place('calm', 'score'), 'calm.ts');
  });

  it('is its name where there is none of these, and the file where it stands in another', () => {
    assert.equal(place('brief', 'score'), 'brief');
    assert.equal(place('format', 'score'), 'format');
    assert.equal(place('elsewhere', 'score'), 'shared.rewards.yaml');
    assert.equal(place('elsewhere', 'score', 'rewards: {}'), undefined);
  });

  it('is the same in a file of rewards', () => {
    assert.equal(place('odd', 'score', 'rules: { odd: { kind: score, expression: tokens } }', 'rewards'), 'tokens');
  });
});
