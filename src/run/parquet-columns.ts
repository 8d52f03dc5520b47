// Flat columns, lists and lists of lists as the bytes of a Parquet file. hyparquet-writer writes them; where its general
// way through nested values takes a call for each value, lists are laid out here in a loop: of a step's 64 rollouts with
// their alternatives that is a millisecond instead of six.

import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';

export interface Column {
  readonly name: string;
  /** From the column to what it holds: one element, or three for a list, or five for a list of lists. */
  readonly elements: readonly SchemaElement[];
  readonly data: readonly unknown[];
}

/** Values of a column with Dremel's levels (Melnik et al. 2010; parquet-format, Nested Encoding). */
interface Levels {
  values: unknown[];
  definitionLevels: number[];
  repetitionLevels: number[];
  maxDefinitionLevel: number;
}

const PAGE_BYTES = 2 ** 20;
/** Of lists: who looks at one long completion need not read those beside it. */
const LIST_PAGE_BYTES = 2 ** 16;

export function parquetOf(columns: readonly Column[]): Uint8Array {
  const writer = new ByteWriter();
  const root: SchemaElement = { name: 'root', num_children: columns.length };
  const schema = [root, ...columns.flatMap(column => column.elements)];
  const file = new ParquetWriter({ writer, schema, createdBy: 'triphase' });
  const start = writer.offset;
  const chunks = columns.map(column => {
    const { elements } = column;
    const element = elements.at(-1) as SchemaElement;
    const written = writeColumn({
      writer,
      column: {
        columnName: elements.map(({ name }) => name).join('.'),
        element,
        schemaPath: [root, ...elements],
        codec: 'SNAPPY',
        compressors: { SNAPPY: file.compressors.SNAPPY },
        // nobody looks for the least token of a list
        stats: elements.length === 1,
        pageSize: elements.length === 1 ? PAGE_BYTES : LIST_PAGE_BYTES,
        columnIndex: false,
        offsetIndex: true,
        // log-probabilities hardly ever repeat
        ...(element.type === 'FLOAT' ? { encoding: 'PLAIN' } : {}),
      },
      pageData: levelsOf(column),
    });
    file.pendingIndexes.push(written);
    return written.chunk;
  });
  const rows = BigInt(columns[0]?.data.length ?? 0);
  file.num_rows += rows;
  file.row_groups.push({
    columns: chunks,
    total_byte_size: chunks.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
    num_rows: rows,
    total_compressed_size: BigInt(writer.offset - start),
  });
  file.finish();
  return new Uint8Array(writer.getBuffer());
}

function levelsOf({ name, elements, data }: Column): Levels {
  const lists = (elements.length - 1) / 2;
  if (elements[0]?.repetition_type === 'REQUIRED') {
    if (data.some(isAbsent)) throw new Error(`the column ${name} lacks a value`);
    return { values: [...data], definitionLevels: [], repetitionLevels: [], maxDefinitionLevel: 0 };
  }
  if (lists === 0)
    return {
      values: [...data],
      definitionLevels: data.map(value => (isAbsent(value) ? 0 : 1)),
      repetitionLevels: [],
      maxDefinitionLevel: 1,
    };
  return new Nested(data, lists).levels;
}

const isAbsent = (value: unknown): boolean => value === null || value === undefined;

class Nested {
  readonly levels: Levels;
  private at = 0;

  /** @param depth lists within each other */
  constructor(rows: readonly unknown[], depth: number) {
    const size = rows.reduce<number>((sum, row) => sum + placesOf(row, depth), 0);
    this.levels = {
      values: new Array(size),
      definitionLevels: new Array(size),
      repetitionLevels: new Array(size),
      maxDefinitionLevel: depth + 1,
    };
    for (const row of rows)
      if (isAbsent(row)) this.put(undefined, 0, 0);
      else this.putList(row as readonly unknown[], depth, 1, 0);
  }

  /**
   * @param depth lists within each other from here on, this one among them
   * @param level that says so far: there is a list
   * @param repetition of its first value
   */
  private putList(list: readonly unknown[], depth: number, level: number, repetition: number): void {
    if (list.length === 0) this.put(undefined, level, repetition);
    for (let i = 0; i < list.length; i++) {
      const first = i === 0 ? repetition : level;
      if (depth > 1) this.putList(list[i] as readonly unknown[], depth - 1, level + 1, first);
      else this.put(list[i], level + 1, first);
    }
  }

  private put(value: unknown, definition: number, repetition: number): void {
    const { values, definitionLevels, repetitionLevels } = this.levels;
    values[this.at] = value;
    definitionLevels[this.at] = definition;
    repetitionLevels[this.at++] = repetition;
  }
}

/** What is not there, or empty, has a place too. */
function placesOf(list: unknown, depth: number): number {
  if (isAbsent(list)) return 1;
  const items = list as readonly unknown[];
  if (depth === 1 || items.length === 0) return Math.max(1, items.length);
  return items.reduce<number>((sum, item) => sum + placesOf(item, depth - 1), 0);
}
