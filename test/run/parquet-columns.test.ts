import assert from 'node:assert/strict';
import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import { type Column, parquetOf } from '../../src/run/parquet-columns';

const list = (name: string, inner: readonly SchemaElement[]): SchemaElement[] => [
  { name, repetition_type: name === 'element' ? 'REQUIRED' : 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...inner,
];
const integer: SchemaElement = { name: 'element', type: 'INT32', repetition_type: 'REQUIRED' };
const text: SchemaElement = {
  name: 'element',
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
  repetition_type: 'REQUIRED',
};

describe('columns as Parquet', () => {
  it("are the bytes that hyparquet-writer's own way through nested values makes", () => {
    const columns: readonly Column[] = [
      { name: 'number', elements: [{ ...integer, name: 'number' }], data: [3, 1, 2, 5, 4] },
      {
        name: 'maybe',
        elements: [{ name: 'maybe', type: 'DOUBLE', repetition_type: 'OPTIONAL' }],
        data: [0.5, null, Number.NaN, null, -1],
      },
      {
        name: 'name',
        elements: [{ ...text, name: 'name', repetition_type: 'OPTIONAL' }],
        data: ['a', 'a', null, 'ä', ''],
      },
      { name: 'list', elements: list('list', [integer]), data: [[1, 2, 3], [], null, [4], [5, 5, 5, 5]] },
      { name: 'texts', elements: list('texts', [text]), data: [[], ['x', 'y'], ['x'], null, ['']] },
      {
        name: 'lists',
        elements: list('lists', list('element', [integer])),
        data: [[[1, 2], [3]], [], null, [[], [4], []], [[5, 6, 7]]],
      },
    ];
    const theirs = parquetWriteBuffer({
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(column => column.elements)],
      columnData: columns.map(({ name, elements, data }) => ({
        name,
        data: [...data],
        statistics: elements.length === 1,
      })),
      createdBy: 'triphase',
    });
    assert.deepEqual(parquetOf(columns), new Uint8Array(theirs));
  });

  it('refuse a row without a value that every row has', () => {
    const columns = [{ name: 'number', elements: [{ ...integer, name: 'number' }], data: [1, undefined] }];
    assert.throws(() => parquetOf(columns), /the column number lacks a value/);
  });
});
