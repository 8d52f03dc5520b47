// Columns of a segment's files, read without native parts.

import { type AsyncBuffer, asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetScan } from 'hyparquet';
import type { Cell, Column, ImageRef } from '../../protocol/query';
import type { Segment } from '../../run/segments';
import { cutText } from './cut-text';
import type { TextsOfRow } from './table';

interface OpenFile {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

/** The files of one segment, which stay open in the sense that their footers are not read again. */
export class SegmentColumns {
  private readonly columns = new Map<string, Promise<readonly Cell[]>>();
  private narrow: Promise<OpenFile> | undefined;
  private texts: Promise<OpenFile> | undefined;

  constructor(private readonly segment: Segment) {}

  /** Null all along where the segment does not have it. */
  column({ name, type }: Pick<Column, 'name' | 'type'>): Promise<readonly Cell[]> {
    const { segment } = this;
    let column = this.columns.get(name);
    if (column === undefined) {
      const held = segment.columns.find(one => one.name === name);
      column =
        held === undefined
          ? Promise.resolve(Array.from({ length: segment.rows }, () => null))
          : this.readNarrow(name, type === 'text' && held.type !== 'text');
      this.columns.set(name, column);
    }
    return column;
  }

  /** One text of all rows, so many rows at a time. */
  async *textParts(name: string, rows: number): AsyncGenerator<readonly Cell[]> {
    this.texts ??= opened(this.segment.textsFile);
    const file = await this.texts;
    for (let start = 0; start < this.segment.rows; start += rows)
      yield await read(file, name, start, Math.min(start + rows, this.segment.rows));
  }

  async textsOf(row: number, characters: number | undefined): Promise<TextsOfRow> {
    this.texts ??= opened(this.segment.textsFile);
    const file = await this.texts;
    const names = ['prompt', 'completion', 'question', 'caption', '__images'];
    const [prompt, completion, question, caption, images] = await Promise.all(
      names.map(async name => {
        const [cell] = await read(file, name, row, row + 1);
        return typeof cell === 'string' ? cell : null;
      }),
    );
    const { text, cut } = cutText(completion ?? '', characters);
    return {
      prompt: prompt ?? null,
      completion: text,
      cut,
      question: question ?? null,
      caption: caption ?? null,
      images: JSON.parse(images ?? '[]') as readonly ImageRef[],
    };
  }

  private async readNarrow(name: string, asText: boolean): Promise<readonly Cell[]> {
    this.narrow ??= opened(this.segment.narrowFile);
    const cells = await read(await this.narrow, name, 0, this.segment.rows);
    return asText ? cells.map(cell => (cell === null ? null : String(cell))) : cells;
  }
}

async function opened(name: string): Promise<OpenFile> {
  const file = await asyncBufferFromFile(name);
  return { file, metadata: await parquetMetadataAsync(file) };
}

async function read(
  { file, metadata }: OpenFile,
  column: string,
  rowStart: number,
  rowEnd: number,
): Promise<readonly Cell[]> {
  const scan = await parquetScan({ file, metadata, columns: [column], rowStart, rowEnd });
  const parts = await Promise.all(
    scan.ranges.map(range => scan.readColumn({ column, rowStart: range.rowStart, rowEnd: range.rowEnd })),
  );
  return parts.flatMap(part => Array.from(part, (cell: unknown) => (cell ?? null) as Cell));
}
