// The segments in which a recording is read. Those of the run's own index count where every file in them still does; what
// they lack is made into segments of this process, in its private folder. So a question sees every file that counts, and
// both readers see nothing but segments.

import path from 'node:path';
import type { Column } from '../protocol/query';
import type { LeftOut } from '../protocol/run';
import { ahead, fileKey, Packer, usableSegments } from '../run/compaction';
import { mostRows, readSegments, removeSegment, type Segment, writeSegment } from '../run/segments';
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
  private last: { readonly files: readonly StepFile[]; readonly shelved: Shelved } | undefined;
  private running: Promise<Shelved> = Promise.resolve(empty);

  constructor(
    readonly recording: Recording,
    private readonly privateFolder: string,
  ) {}

  /** The newest state. Questions that come at once share the work. */
  newest(): Promise<Shelved> {
    const next = this.running.then(
      () => this.look(),
      () => this.look(),
    );
    this.running = next;
    return next;
  }

  private async look(): Promise<Shelved> {
    const files = await this.recording.files();
    if (this.last !== undefined && sameFiles(this.last.files, files)) return this.last.shelved;
    const wanted = new Set(files.map(fileKey));
    let indexed = usableSegments(this.readIndex(), wanted);
    const held = this.held();
    const missing = files.filter(file => !indexed.covered.has(fileKey(file)) && !held.has(fileKey(file))).length;
    if (missing >= worthIndexing && (await this.recording.compact()))
      indexed = usableSegments(this.readIndex(), wanted);
    const own = usableSegments(this.own, new Set([...wanted].filter(key => !indexed.covered.has(key))));
    const small = own.usable.filter(segment => segment.rows < mostRows / 2);
    const merged = small.length >= mostSmall ? small : [];
    for (const { number } of [...own.stale, ...merged]) removeSegment(this.privateFolder, number);
    this.own = own.usable.filter(segment => !merged.includes(segment));
    const stays = this.held();
    await this.shelve(files.filter(file => !indexed.covered.has(fileKey(file)) && !stays.has(fileKey(file))));
    const shelved = this.sum([...indexed.usable, ...this.own], wanted);
    this.last = { files, shelved };
    return shelved;
  }

  private held(): ReadonlySet<string> {
    return new Set(this.own.flatMap(segment => segment.files.map(fileKey)));
  }

  private readIndex(): readonly Segment[] {
    const { indexFolder } = this.recording;
    return indexFolder === undefined ? [] : readSegments(indexFolder);
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
    const files = segments.flatMap(segment => segment.files);
    const columns = mergedColumns(segments);
    const steps = files.filter(file => file.rows > 0).map(file => file.step);
    return {
      segments: segments.toSorted((a, b) => (a.files[0]?.step ?? 0) - (b.files[0]?.step ?? 0)),
      version: segments.map(segment => segment.number).join(),
      columns,
      rules: columns.filter(column => column.rule === true).map(column => column.name),
      rollouts: segments.reduce((sum, segment) => sum + segment.rows, 0),
      groups: files.reduce((sum, file) => sum + file.groups, 0),
      steps:
        steps.length === 0
          ? undefined
          : [steps.reduce((a, b) => Math.min(a, b)), steps.reduce((a, b) => Math.max(a, b))],
      unreadable: [
        ...[...this.bad].flatMap(([key, left]) => (wanted.has(key) ? [left] : [])),
        ...[...this.badRows].flatMap(([key, left]) => (wanted.has(key) ? left : [])),
      ],
    };
  }
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

const sameFiles = (a: readonly StepFile[], b: readonly StepFile[]): boolean =>
  a.length === b.length && a.every((file, i) => file.file === b[i]!.file && file.version === b[i]!.version);

/** Of all segments; a column that is a number in one and a text in another is text. */
function mergedColumns(segments: readonly Segment[]): readonly Column[] {
  const merged = new Map<string, Column>();
  for (const column of segments.flatMap(segment => segment.columns)) {
    const before = merged.get(column.name);
    merged.set(column.name, before === undefined || before.type === column.type ? column : { ...column, type: 'text' });
  }
  return [...merged.values()];
}
