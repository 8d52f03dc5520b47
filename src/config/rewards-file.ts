// A file of shared rewards as a text of its own, read as the rewards of a curriculum that has nothing else wrong.

import { type LoadedCurriculum, type ReadCurriculum, readCurriculum } from './curriculum';
import type { Diagnostic } from './diagnostics';

export type ReadRewards = { readonly loaded: LoadedCurriculum } | { readonly diagnostics: readonly Diagnostic[] };

export function readRewardsFile(text: string, file: string): ReadRewards {
  const lines = text.split('\n');
  const indented = lines.map(line => (line.trim() === '' ? line : `  ${line}`)).join('\n');
  const read: ReadCurriculum = readCurriculum(`rewards:\n${indented}\n${REST}`, file, [], { files: 'unchecked' });
  const here = ({ line = 1, column = 1 }: { readonly line?: number; readonly column?: number }) => ({
    file,
    line: line - 1,
    column: Math.max(1, column - 2),
  });
  if ('loaded' in read) {
    const { config, place } = read.loaded;
    return { loaded: { config, place: at => here(place(at)) } };
  }
  return {
    diagnostics: read.diagnostics.flatMap(diagnostic => {
      const { line = 1 } = diagnostic.place;
      if (line < 2 || line > lines.length + 1) return [];
      return [{ ...diagnostic, place: here(diagnostic.place) }];
    }),
  };
}

const REST = `model: { path: m }
data: { d: { path: d.jsonl } }
phases: [{ id: p, view: image, sources: [d], steps: 1 }]
`;
