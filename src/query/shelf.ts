// The segments in which a recording is read. Those of the run's own index count where every file in them still does; what
// they lack is made into segments of this process, in its private folder. So a question sees every file that counts, and
// both readers see nothing but segments.

import path from 'node:path';
import type { Column } from '../protocol/query';
import type { LeftOut } from '../protocol/run';
import {
  type IndexedFile,
  type IndexRow,
  mostCharacters,
  mostRows,
  readSegments,
  removeSegment,
  type Segment,
  writeSegment,
} from '../run/segments';
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
    const wanted = new Map(files.map(file => [keyOf(file), file]));
    const holds = (segment: Segment) => segment.files.every(file => wanted.has(keyOf(file)));
    const indexed = this.readIndex().filter(holds);
    const covered = new Set(indexed.flatMap(segment => segment.files.map(keyOf)));
    this.own = this.own.filter(segment => {
      const stays = holds(segment) && !segment.files.some(file => covered.has(keyOf(file)));
      if (!stays) removeSegment(this.privateFolder, segment.number);
      return stays;
    });
    const small = this.own.filter(segment => segment.rows < mostRows / 2);
    if (small.length >= mostSmall) {
      for (const segment of small) removeSegment(this.privateFolder, segment.number);
      this.own = this.own.filter(segment => !small.includes(segment));
    }
    for (const segment of this.own) for (const file of segment.files) covered.add(keyOf(file));
    await this.shelve(files.filter(file => !covered.has(keyOf(file))));
    const shelved = this.sum([...indexed, ...this.own], wanted);
    this.last = { files, shelved };
    return shelved;
  }

  private readIndex(): readonly Segment[] {
    const { indexFolder } = this.recording;
    return indexFolder === undefined ? [] : readSegments(indexFolder);
  }

  private async shelve(files: readonly StepFile[]): Promise<void> {
    let taken: { readonly file: IndexedFile; readonly rows: readonly IndexRow[] }[] = [];
    let [rows, characters] = [0, 0];
    const rules = new Set<string>();
    const close = () => {
      if (rows === 0) return;
      const segment = writeSegment(
        this.privateFolder,
        this.number++,
        taken.map(({ file }) => file),
        taken.flatMap(one => one.rows),
        rules,
      );
      this.own = [...this.own, segment];
      [taken, rows, characters] = [[], 0, 0];
    };
    for (const file of files) {
      const key = keyOf(file);
      if (this.bad.has(key)) continue;
      const read = await this.read(file);
      if (read === undefined) continue;
      for (const rule of read.rules) rules.add(rule);
      if (read.unreadable.length > 0) this.badRows.set(key, read.unreadable);
      taken.push({ file: indexedFile(file, read.rows), rows: read.rows });
      rows += read.rows.length;
      for (const row of read.rows) characters += row.completion.length + (row.prompt?.length ?? 0);
      if (rows >= mostRows || characters >= mostCharacters) close();
    }
    close();
  }

  private async read(file: StepFile): Promise<StepRows | undefined> {
    try {
      return await this.recording.rows(file.file);
    } catch (error) {
      const reason = `the file cannot be read: ${error instanceof Error ? error.message : error}`;
      this.bad.set(keyOf(file), { reason, count: 1, first: { file: path.join(this.recording.folder, file.file) } });
      return undefined;
    }
  }

  private sum(segments: readonly Segment[], wanted: ReadonlyMap<string, StepFile>): Shelved {
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

const keyOf = ({ file, version }: { readonly file: string; readonly version: string }): string => `${version} ${file}`;

const sameFiles = (a: readonly StepFile[], b: readonly StepFile[]): boolean =>
  a.length === b.length && a.every((file, i) => file.file === b[i]!.file && file.version === b[i]!.version);

const indexedFile = ({ file, version, step }: StepFile, rows: readonly IndexRow[]): IndexedFile => ({
  file,
  version,
  step,
  rows: rows.length,
  groups: new Set(rows.map(row => row.group)).size,
});

/** Of all segments; a column that is a number in one and a text in another is text. */
function mergedColumns(segments: readonly Segment[]): readonly Column[] {
  const merged = new Map<string, Column>();
  for (const column of segments.flatMap(segment => segment.columns)) {
    const before = merged.get(column.name);
    merged.set(column.name, before === undefined || before.type === column.type ? column : { ...column, type: 'text' });
  }
  return [...merged.values()];
}
