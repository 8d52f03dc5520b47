// Rows of a selection as the text of a file: CSV (RFC 4180) or JSON lines.

import type { Cell } from '../../protocol/query';
import type { FoundRow } from '../table/table';

export function exportedHead(format: 'csv' | 'jsonl', columns: readonly string[]): string {
  return format === 'jsonl' ? '' : `${[...columns, 'prompt', 'completion', 'images'].map(field).join()}\r\n`;
}

export function exportedRow(format: 'csv' | 'jsonl', columns: readonly string[], { cells, texts }: FoundRow): string {
  const { prompt, completion, images } = texts;
  const files = images.map(({ file }) => file);
  if (format === 'jsonl')
    return `${JSON.stringify({ ...Object.fromEntries(columns.map(name => [name, cells[name] ?? null])), prompt, completion, images: files })}\n`;
  return `${[...columns.map(name => cells[name] ?? null), prompt, completion, files.join(' ')].map(field).join()}\r\n`;
}

/** A text that a spreadsheet would take for a formula is kept from being one. */
function field(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
