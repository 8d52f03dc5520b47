// Where a hint on a run's rewards stands in the file that says them, and how that file remembers that it is none: by a
// comment behind the rule.

import { builtInRules, namesIn } from './names';
import type { FileKind } from './schema-walk';
import type { TextEdit, TextRange, YamlSource } from './yaml-source';

const markOf = (id: string): string => `# not a problem: ${id}`;

/**
 * The name of the rule that it is about, where the file gives it; of a hint on all of them, or on a rule that stands
 * elsewhere, what comes next to it.
 */
export function hintPlace(kind: FileKind, source: YamlSource, rule: string | undefined): TextRange {
  const rewards = kind === 'rewards' ? [] : ['rewards'];
  const given = namesIn(kind, source).filter(name => name.kind === 'rule' && name.role === 'given');
  return (
    given.find(({ name }) => name === rule)?.range ??
    (rule === undefined ? given.find(({ name }) => name === builtInRules[1])?.range : undefined) ??
    source.valueRange([...rewards, 'file']) ??
    given.find(({ name }) => name === builtInRules[1])?.range ??
    (kind === 'rewards' ? undefined : source.keyRange(rewards)) ??
    source.entries([])[0]?.keyRange ?? { start: 0, end: 0 }
  );
}

export function isDismissed(source: YamlSource, place: TextRange, id: string): boolean {
  const { start, end } = lineOf(source.text, place.start);
  // another hint may begin with the name of this one
  return `${source.text.slice(start, end)} `.includes(`${markOf(id)} `);
}

export function dismissal(source: YamlSource, place: TextRange, id: string): TextEdit {
  const { end } = lineOf(source.text, place.start);
  return { start: end, end, text: ` ${markOf(id)}` };
}

function lineOf(text: string, offset: number): TextRange {
  const newline = text.indexOf('\n', offset);
  const end = newline < 0 ? text.length : newline;
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: text[end - 1] === '\r' ? end - 1 : end };
}
