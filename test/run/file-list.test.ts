// Step files in little memory are the files that were put in.

import assert from 'node:assert/strict';
import { FileList, type IndexedFile } from '../../src/run/file-list';

const file = (name: string, step: number, version = 'attempt 1'): IndexedFile => ({
  file: name,
  version,
  step,
  rows: step + 1,
  groups: step % 3,
});

const named = [
  file('rollouts/text-000001.parquet', 1),
  file('rollouts/text-000002.parquet', 2),
  file('rollouts/image-2-000003.parquet', 3),
  file('rollouts/text-1000000.parquet', 1_000_000),
  file('dumps/7.jsonl', 1_000_000, '12 bytes'),
  file('rollouts/text-000009.parquet', 1_000_001),
  file('rollouts/none.parquet', 1_000_002),
  file('a\nb-000012.parquet', 12),
];

describe('a list of step files', () => {
  it('gives back every file as it was put in', () => {
    const list = FileList.of(named);
    assert.deepEqual([...list], named);
    assert.deepEqual(list.at(3), named[3]);
    for (const [i, one] of named.entries()) assert.equal(list.placeOf(one), i);
    assert.equal(list.placeOf({ ...named[1]!, version: 'attempt 2' }), undefined);
    assert.equal(list.placeOf({ ...named[1]!, step: 3 }), undefined);
  });

  it('finds the files of one list in another, whatever their order', () => {
    const list = FileList.of(named);
    const ordered = FileList.of(named.slice(0, 5));
    assert.deepEqual([...FileList.of([named[4]!, named[0]!, named[1]!]).placesIn(ordered)!], [4, 0, 1]);
    assert.deepEqual([...FileList.of([named[7]!, named[5]!]).placesIn(list)!], [7, 5]);
    assert.equal(FileList.of([named[0]!, named[7]!]).placesIn(ordered), undefined);
  });

  it('knows whether another begins as it did', () => {
    const list = FileList.of(named);
    assert.ok(list.beginsAs(FileList.of(named.slice(0, 5)), 5));
    assert.ok(list.beginsAs(FileList.of([named[0]!, named[2]!]), 1));
    assert.ok(!list.beginsAs(FileList.of([named[0]!, named[2]!]), 2));
    assert.ok(!FileList.of(named.slice(0, 2)).beginsAs(list, 3));
  });
});
