// Where a rule stands, and where it says what it computes, for what is found out about it elsewhere.

import { builtInRules } from './names';
import type { FileKind } from './schema-walk';
import type { TextRange, YamlSource } from './yaml-source';

/** What it says, for whoever wants to change it; undefined: it is not written in this file. */
export function placeOfRule(kind: FileKind, source: YamlSource, rule: string): TextRange | undefined {
  const at = pathOf(kind, rule);
  return source.valueRange(at) ?? source.keyRange(at);
}

/**
 * Its condition, or its expression or the script that it names; its name where there is none of these. Of a rule that
 * stands in the rewards that a curriculum names, their name there.
 */
export function codeOfRule(
  kind: FileKind,
  source: YamlSource,
  rule: string,
  part: 'condition' | 'score',
): TextRange | undefined {
  const at = pathOf(kind, rule);
  const keys = part === 'condition' ? ['when'] : ['expression', 'file'];
  for (const key of keys) {
    const range = source.valueRange([...at, key]);
    if (range !== undefined) return range;
  }
  return source.keyRange(at) ?? source.valueRange([...rewardsIn(kind), 'file']);
}

const rewardsIn = (kind: FileKind): readonly string[] => (kind === 'rewards' ? [] : ['rewards']);

function pathOf(kind: FileKind, rule: string): readonly string[] {
  const isBuiltIn = builtInRules.some(name => name === rule);
  return [...rewardsIn(kind), ...(isBuiltIn ? [] : ['rules']), rule];
}
