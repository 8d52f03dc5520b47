// Where a name is given and used, and one name for another in all of a file.

import { type NameKind, type NamePlace, nameAt, namesIn } from './names';
import type { FileKind } from './schema-walk';
import type { TextEdit, TextRange, YamlSource } from './yaml-source';

export type Renaming =
  | { readonly edits: readonly TextEdit[] }
  /** Why it cannot have that name. */
  | { readonly refused: string };

/** The name that would be renamed, or why none can be. */
export function renameTarget(
  kind: FileKind,
  source: YamlSource,
  offset: number,
): { readonly range: TextRange; readonly name: string } | { readonly refused: string } {
  const target = nameAt(namesIn(kind, source), offset);
  if (target === undefined) return { refused: 'Names of data, rules and phases can be renamed.' };
  if (isBuiltIn(target)) return { refused: `'${target.name}' is built in: it has this name everywhere.` };
  return target;
}

export function rename(kind: FileKind, source: YamlSource, offset: number, to: string): Renaming {
  const names = namesIn(kind, source);
  const target = nameAt(names, offset);
  if (target === undefined || isBuiltIn(target)) return { refused: 'Names of data, rules and phases can be renamed.' };
  return renameText(names, target, to);
}

/** Of the names of one file, all that are that one. */
export function renameText(names: readonly NamePlace[], target: NamePlace, to: string): Renaming {
  const form = forms[target.kind];
  if (!form.test(to)) return { refused: `'${to}' is not a name: ${words[target.kind]}.` };
  if (
    to !== target.name &&
    names.some(other => other.kind === target.kind && other.role === 'given' && other.name === to)
  )
    return { refused: `There is already a ${target.kind} '${to}'.` };
  return { edits: sameName(names, target).map(({ range }) => ({ ...range, text: to })) };
}

/** Every place of the name under the cursor: where it is given first. */
export function placesOf(kind: FileKind, source: YamlSource, offset: number): readonly NamePlace[] {
  const names = namesIn(kind, source);
  const target = nameAt(names, offset);
  if (target === undefined) return [];
  return sameName(names, target).toSorted((a, b) => Number(b.role === 'given') - Number(a.role === 'given'));
}

const sameName = (names: readonly NamePlace[], { kind, name }: NamePlace): readonly NamePlace[] =>
  names.filter(other => other.kind === kind && other.name === name);

const isBuiltIn = ({ kind, name }: NamePlace): boolean => kind === 'rule' && (name === 'format' || name === 'accuracy');

const forms: Readonly<Record<NameKind, RegExp>> = {
  data: /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  phase: /^[A-Za-z0-9][A-Za-z0-9_-]*$/,
  rule: /^[A-Za-z_]\w*$/,
};

const words: Readonly<Record<NameKind, string>> = {
  data: 'letters, digits, - and _, beginning with a letter or digit',
  phase: 'letters, digits, - and _, beginning with a letter or digit',
  rule: 'letters, digits and _, beginning with a letter',
};
