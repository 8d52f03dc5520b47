// Columns of text.

export type Align = 'left' | 'right';

/** Columns beyond the named alignments are to the left. */
export function table(rows: readonly (readonly string[])[], align: readonly Align[] = []): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const pad = (cell: string, i: number) =>
    align[i] === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map(row => row.map(pad).join('  ').trimEnd());
}
