import assert from 'node:assert/strict';
import path from 'node:path';
import { givenElsewhere, type NamedFile, renameInAll, sharedRewardsOf } from '../../src/language/shared-files';
import { type TextEdit, YamlSource } from '../../src/language/yaml-source';

const folder = path.resolve('lab');
const file = (kind: NamedFile['kind'], name: string, text: string): NamedFile => ({
  kind,
  file: path.join(folder, name),
  source: new YamlSource(text),
});
const edited = ({ source }: NamedFile, edits: readonly TextEdit[] | undefined): string =>
  [...(edits ?? [])]
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), source.text);

describe('names in several files', () => {
  const rewards = file(
    'rewards',
    'rewards.yaml',
    `rules:\n  brief: { kind: length, when: 'phase == "one"' }\n  both: { kind: score, expression: scores.brief }\n`,
  );
  const first = file(
    'curriculum',
    'curriculum.yaml',
    'rewards: { file: rewards.yaml }\nphases:\n  - { id: one, rewards: { use: [brief] } }\n',
  );
  const second = file(
    'curriculum',
    'other.curriculum.yaml',
    'rewards: { file: ./rewards.yaml, rules: { own: { kind: match } } }\nphases:\n  - { id: one, rewards: { rules: { brief: { weight: 2 } } } }\n',
  );
  const after = (here: NamedFile, others: readonly NamedFile[], what: string, to: string): readonly string[] => {
    const renamed = renameInAll(here, others, here.source.text.indexOf(what) + 1, to);
    assert.ok('edits' in renamed, JSON.stringify(renamed));
    return [here, ...others].map(one => edited(one, renamed.edits.get(one.file)));
  };

  it('are shared through the rewards that a curriculum names', () => {
    assert.equal(sharedRewardsOf(first.source, first.file), rewards.file);
    assert.equal(sharedRewardsOf(second.source, second.file), rewards.file);
    assert.equal(sharedRewardsOf(new YamlSource('rewards: {}'), first.file), undefined);
  });

  it('are renamed in all of them: a rule from the file that gives it, and from one that uses it', () => {
    for (const [here, others, what] of [
      [rewards, [first, second], 'brief:'],
      [first, [rewards, second], 'brief]'],
      [second, [rewards, first], 'brief:'],
    ] as const) {
      const texts = after(here, others, what, 'short');
      for (const text of texts) assert.ok(!text.includes('brief') && text.includes('short'), text);
    }
  });

  it('rename a phase in its own curriculum and in its rewards, and in no other curriculum', () => {
    const [own, shared, other] = after(first, [rewards, second], 'one,', 'begin');
    assert.ok(own?.includes('id: begin'));
    assert.ok(shared?.includes('phase == "begin"'));
    assert.ok(other?.includes('id: one'));
  });

  it('refuse a name that one of them has already, and say which', () => {
    const renamed = renameInAll(rewards, [first, second], rewards.source.text.indexOf('brief:') + 1, 'own');
    assert.match('refused' in renamed ? renamed.refused : '', /already a rule 'own'.*other\.curriculum\.yaml/);
  });

  it('are found where they are given', () => {
    const found = givenElsewhere(first, [second, rewards], first.source.text.indexOf('brief]') + 1);
    assert.equal(found?.file, rewards.file);
    assert.equal(found?.place.range.start, rewards.source.text.indexOf('brief:'));
  });
});
