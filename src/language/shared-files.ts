// Names that stand in several files: a curriculum, the rewards that it shares with others, and those others.

import path from 'node:path';
import { type NamePlace, nameAt, namesGiven, namesIn } from './names';
import { renameTarget, renameText } from './rename';
import type { FileKind } from './schema-walk';
import { type TextEdit, YamlSource } from './yaml-source';

export interface NamedFile {
  readonly kind: FileKind;
  /** Absolute. */
  readonly file: string;
  readonly source: YamlSource;
}

/** The file of rewards that a curriculum names, absolute. */
export function sharedRewardsOf(source: YamlSource, file: string): string | undefined {
  const named = source.value(['rewards', 'file']);
  return typeof named === 'string' && named !== '' ? path.resolve(path.dirname(file), named) : undefined;
}

/** The text of a file as it stands in an editor or on disk; undefined: there is none. */
export type ReadText = (file: string) => string | undefined;

/** Names of rules that the rewards give which a curriculum names. */
export function sharedRules(kind: FileKind, source: YamlSource, file: string, read: ReadText): readonly string[] {
  const shared = kind === 'curriculum' ? sharedRewardsOf(source, file) : undefined;
  const text = shared === undefined ? undefined : read(shared);
  return text === undefined ? [] : namesGiven(namesIn('rewards', new YamlSource(text)), 'rule');
}

/** What a name is called in these files too, or why it cannot be. */
export function renameInAll(
  here: NamedFile,
  others: readonly NamedFile[],
  offset: number,
  to: string,
): { readonly edits: ReadonlyMap<string, readonly TextEdit[]> } | { readonly refused: string } {
  const target = renameTarget(here.kind, here.source, offset);
  if ('refused' in target) return target;
  const place = nameAt(namesIn(here.kind, here.source), offset);
  if (place === undefined) return { refused: 'There is no name here.' };
  const files = [here, ...others.filter(other => sharesName(here, other, place))];
  const edits = new Map<string, readonly TextEdit[]>();
  for (const { kind, file, source } of files) {
    const renamed = renameText(namesIn(kind, source), place, to);
    if ('refused' in renamed) return { refused: file === here.file ? renamed.refused : `${renamed.refused} (${file})` };
    if (renamed.edits.length > 0) edits.set(file, renamed.edits);
  }
  return { edits };
}

/** Where a name is given, in another file. */
export function givenElsewhere(
  here: NamedFile,
  others: readonly NamedFile[],
  offset: number,
): { readonly file: string; readonly place: NamePlace } | undefined {
  const used = nameAt(namesIn(here.kind, here.source), offset);
  if (used === undefined) return undefined;
  for (const other of others.filter(one => sharesName(here, one, used))) {
    const place = namesIn(other.kind, other.source).find(
      ({ kind, name, role }) => kind === used.kind && name === used.name && role === 'given',
    );
    if (place !== undefined) return { file: other.file, place };
  }
  return undefined;
}

/** Rules are the same in all that share them; phases and data of another curriculum are others. */
const sharesName = (here: NamedFile, other: NamedFile, { kind }: NamePlace): boolean =>
  kind === 'rule' || (kind === 'phase' && (here.kind === 'rewards') !== (other.kind === 'rewards'));
