// Rows of a list, and of a search that goes on those that are found so far.

import type { RolloutRow, RolloutsParams, SearchHits } from '../../protocol/query';
import type { FoundRow, Page, Selected, Table } from '../table/table';
import { questionIn } from './question';

/** Characters of a completion that a list shows. */
export const beginning = 400;

const hitsEveryMs = 150;

/** While texts are looked through, the rows that are found so far; undefined where nobody wants them. */
export function firstHits(
  { folder, search = '', limit }: RolloutsParams,
  table: Table,
  { shelved, where, signal }: Selected,
  page: Page,
  onHits: ((hits: SearchHits) => void) | undefined,
): Selected['onScanned'] {
  if (onHits === undefined || search.trim() === '') return undefined;
  let rows: readonly RolloutRow[] = [];
  let told = Number.NEGATIVE_INFINITY;
  return async (segments, done) => {
    const full = rows.length >= limit;
    const now = performance.now();
    if (!done && rows.length > 0 && now - told < hitsEveryMs) return;
    if (!full) {
      const scanned = { ...shelved, segments, version: `${shelved.version}/${segments.length}` };
      const { sort: _sort, ...inOrder } = page;
      const found = await table.page({ shelved: scanned, where, signal }, { ...inOrder, offset: 0 }, beginning);
      rows = found.rows.map(listed);
    }
    if (rows.length === 0 && !done && now - told < hitsEveryMs) return;
    told = now;
    const scannedRollouts = segments.reduce((sum, segment) => sum + segment.rows, 0);
    onHits({ folder, search, rows, scannedRollouts, done });
  };
}

export const listed = ({ ref, cells, texts }: FoundRow): RolloutRow => ({
  ref,
  cells: shortened(cells),
  question: texts.question ?? (texts.prompt === null ? null : questionIn(texts.prompt)),
  completion: texts.completion,
  cut: texts.cut,
  images: texts.images,
});

/** A cell of a list shows no more than the beginning of a text. */
const shortened = (cells: FoundRow['cells']): FoundRow['cells'] =>
  Object.fromEntries(
    Object.entries(cells).map(([name, cell]) => [name, typeof cell === 'string' ? cell.slice(0, beginning) : cell]),
  );
