// The segments in which a recording is read. Those of the run's own index count where every file in them still does; what
// they lack is made into segments of this process, in its private folder. So a question sees every file that counts, and
// both readers see nothing but segments.

import path from 'node:path';
import type { Column } from '../protocol/query';
import type { LeftOut } from '../protocol/run';
import { ahead, fileKey, Packer, usableSegments } from '../run/compaction';
import { mostRows, removeSegment, type Segment, SegmentReader, writeSegment } from '../run/segments';
import type { Recording, StepFile, StepRows } from './folder/recording';

export interface Shelved {
  readonly segments: readonly Segment[];
  /** Equal as long as the same segments are meant. */
  readonly version: string;
  readonly columns: readonly Column[];
  readonly rules: readonly string[];
  readonly rollouts: number;
  readonly groups: number;
  readonly steps: readonly [number, number] | undefined;
  readonly unreadable: readonly LeftOut[];
}

/** Segments of this process are numbered above all that an index may have. */
const firstPrivate = 1_000_000;
/** So many small segments are made into one. */
const mostSmall = 24;
/** So many files that are in no index are put there, where that may be written. */
const worthIndexing = 16;

export class Shelf {
  private own: readonly Segment[] = [];
  private number = firstPrivate;
  private readonly bad = new Map<string, LeftOut>();
  private readonly badRows = new Map<string, readonly LeftOut[]>();
  private last: { readonly files: readonly StepFile[]; readonly count: number; readonly shelved: Shelved } | undefined;
  private readonly index: SegmentReader | undefined;
  /** Of the list of files that was seen last: the keys of all, and those that a segment of the index has. */
  private wanted = new Set<string>();
  private covered = new Set<string>();
  private indexed: readonly Segment[] = [];
  private uncovered: readonly StepFile[] = [];
  private running: Promise<Shelved> = Promise.resolve(empty);

  constructor(
    readonly recording: Recording,
    private readonly privateFolder: string,
  ) {
    const { indexFolder } = recording;
    this.index = indexFolder === undefined ? undefined : new SegmentReader(indexFolder);
  }

  /** The newest state. Questions that come at once share the work. */
  newest(): Promise<Shelved> {
    const next = this.running.then(
      () => this.look(),
      () => this.look(),
    );
    this.running = next;
    return next;
  }

  /** What came since the last look is looked at, not the whole run: that may have a hundred thousand files. */
  private async look(): Promise<Shelved> {
    const files = await this.recording.files();
    const { last } = this;
    const grown = last !== undefined && (last.files === files || beginsWith(files, last));
    if (last !== undefined && grown && last.count === files.length) return last.shelved;
    const added = grown ? files.slice(last.count) : files;
    if (!grown) this.forget();
    for (const file of added) this.wanted.add(fileKey(file));
    this.uncovered = [...this.uncovered, ...added];
    this.takeIndex();
    const held = this.held();
    const missing = this.uncovered.filter(file => !held.has(fileKey(file))).length;
    if (missing >= worthIndexing && (await this.recording.compact())) this.takeIndex();
    const own = usableSegments(this.own, { has: key => this.wanted.has(key) && !this.covered.has(key) });
    const small = own.usable.filter(segment => segment.rows < mostRows / 2);
    const merged = small.length >= mostSmall ? small : [];
    for (const { number } of [...own.stale, ...merged]) removeSegment(this.privateFolder, number);
    this.own = own.usable.filter(segment => !merged.includes(segment));
    const stays = this.held();
    await this.shelve(this.uncovered.filter(file => !stays.has(fileKey(file))));
    const shelved = this.sum([...this.indexed, ...this.own], this.wanted);
    this.last = { files, count: files.length, shelved };
    return shelved;
  }

  private forget(): void {
    [this.wanted, this.covered] = [new Set(), new Set()];
    [this.indexed, this.uncovered] = [[], []];
  }

  /** Segments whose files all count, and none of them twice; one that is gone is made again by whoever asks next. */
  private takeIndex(): void {
    const there = this.index?.read() ?? [];
    if (!this.indexed.every(segment => there.includes(segment))) {
      const gone = this.indexed.filter(segment => !there.includes(segment)).flatMap(segment => segment.files);
      for (const file of gone) this.covered.delete(fileKey(file));
      this.uncovered = [...gone, ...this.uncovered];
      this.indexed = this.indexed.filter(segment => there.includes(segment));
    }
    const known = new Set(this.indexed);
    const fresh = there.filter(segment => !known.has(segment));
    const { usable } = usableSegments(fresh, { has: key => this.wanted.has(key) && !this.covered.has(key) });
    if (usable.length === 0) return;
    for (const file of usable.flatMap(segment => segment.files)) this.covered.add(fileKey(file));
    this.indexed = [...this.indexed, ...usable];
    this.uncovered = this.uncovered.filter(file => !this.covered.has(fileKey(file)));
  }

  private held(): ReadonlySet<string> {
    return new Set(this.own.flatMap(segment => segment.files.map(fileKey)));
  }

  private async shelve(files: readonly StepFile[]): Promise<void> {
    const packer = new Packer((taken, rows, rules) => {
      this.own = [...this.own, writeSegment(this.privateFolder, this.number++, taken, rows, rules)];
    });
    const readable = files.filter(file => !this.bad.has(fileKey(file)));
    const rows = ahead(readable, file => this.read(file));
    for (const [i, file] of readable.entries()) {
      const key = fileKey(file);
      const read = await rows(i);
      if (read === undefined) continue;
      if (read.unreadable.length > 0) this.badRows.set(key, read.unreadable);
      packer.add(file, read.rows, read.rules);
    }
    packer.close();
  }

  private async read(file: StepFile): Promise<StepRows | undefined> {
    try {
      return await this.recording.rows(file.file);
    } catch (error) {
      const reason = `the file cannot be read: ${error instanceof Error ? error.message : error}`;
      this.bad.set(fileKey(file), { reason, count: 1, first: { file: path.join(this.recording.folder, file.file) } });
      return undefined;
    }
  }

  private sum(segments: readonly Segment[], wanted: ReadonlySet<string>): Shelved {
    const sums = segments.map(sumOf);
    const columns = mergedColumns(segments);
    const filled = sums.filter(({ rows }) => rows > 0);
    return {
      segments: segments.toSorted((a, b) => (a.files[0]?.step ?? 0) - (b.files[0]?.step ?? 0)),
      version: segments.map(segment => segment.number).join(),
      columns,
      rules: columns.filter(column => column.rule === true).map(column => column.name),
      rollouts: segments.reduce((sum, segment) => sum + segment.rows, 0),
      groups: sums.reduce((sum, { groups }) => sum + groups, 0),
      steps:
        filled.length === 0
          ? undefined
          : [
              filled.reduce((least, { first }) => Math.min(least, first), Number.POSITIVE_INFINITY),
              filled.reduce((most, { last }) => Math.max(most, last), Number.NEGATIVE_INFINITY),
            ],
      unreadable: [
        ...[...this.bad].flatMap(([key, left]) => (wanted.has(key) ? [left] : [])),
        ...[...this.badRows].flatMap(([key, left]) => (wanted.has(key) ? left : [])),
      ],
    };
  }
}

interface Sum {
  readonly rows: number;
  readonly groups: number;
  /** Steps of files that have rows. */
  readonly first: number;
  readonly last: number;
}

/** A segment never changes. */
const sums = new WeakMap<Segment, Sum>();

function sumOf(segment: Segment): Sum {
  const known = sums.get(segment);
  if (known !== undefined) return known;
  const steps = segment.files.filter(file => file.rows > 0).map(file => file.step);
  const sum: Sum = {
    rows: segment.rows,
    groups: segment.files.reduce((all, file) => all + file.groups, 0),
    first: steps.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    last: steps.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
  sums.set(segment, sum);
  return sum;
}

const empty: Shelved = {
  segments: [],
  version: '',
  columns: [],
  rules: [],
  rollouts: 0,
  groups: 0,
  steps: undefined,
  unreadable: [],
};

/** Another list that only goes on: of other tools, whose folder is listed anew each time. */
const beginsWith = (
  files: readonly StepFile[],
  before: { readonly files: readonly StepFile[]; readonly count: number },
): boolean =>
  files.length >= before.count &&
  before.files.length === before.count &&
  before.files.every((file, i) => file.file === files[i]!.file && file.version === files[i]!.version);

/** Of all segments; a column that is a number in one and a text in another is text. */
function mergedColumns(segments: readonly Segment[]): readonly Column[] {
  const merged = new Map<string, Column>();
  for (const column of segments.flatMap(segment => segment.columns)) {
    const before = merged.get(column.name);
    merged.set(column.name, before === undefined || before.type === column.type ? column : { ...column, type: 'text' });
  }
  return [...merged.values()];
}
