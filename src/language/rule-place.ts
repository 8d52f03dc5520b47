// Where a rule says what it computes, for what is found out about it elsewhere.

import { builtInRules } from './names';
import type { FileKind } from './schema-walk';
import type { TextRange, YamlSource } from './yaml-source';

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
  const rewards = kind === 'rewards' ? [] : ['rewards'];
  const isBuiltIn = builtInRules.some(name => name === rule);
  const at = isBuiltIn ? [...rewards, rule] : [...rewards, 'rules', rule];
  const keys = part === 'condition' ? ['when'] : ['expression', 'file'];
  for (const key of keys) {
    const range = source.valueRange([...at, key]);
    if (range !== undefined) return range;
  }
  return source.keyRange(at) ?? source.valueRange([...rewards, 'file']);
}
