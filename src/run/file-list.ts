// A list of step files in little memory: a long run has a hundred thousand of them, and their names differ in the number of
// the step alone.

/** A file of rollouts as it was when its rows were taken. */
export interface IndexedFile {
  /** As the folder names it. */
  readonly file: string;
  /** Another version of the same file counts as another file. */
  readonly version: string;
  readonly step: number;
  readonly rows: number;
  readonly groups: number;
}

/** A file that is to be indexed, as far as its step event names it. */
export type StepFileName = Pick<IndexedFile, 'file' | 'version' | 'step'>;

/** What names have in common; without digits where the number of the step does not stand in the name. */
interface Shape {
  readonly before: string;
  readonly digits: number;
  readonly after: string;
  readonly version: string;
}

/** Numbers that are kept of a file: shape, step, rows, groups. */
const kept = 4;

export class FileList implements Iterable<IndexedFile> {
  private numbers = new Int32Array(kept * 16);
  private readonly shapes: Shape[] = [];
  private readonly shapeNumbers = new Map<string, number>();
  private count = 0;
  private ascending = true;
  private places: Map<string, number> | undefined;

  static of(files: Iterable<StepFileName & Partial<IndexedFile>>): FileList {
    const list = new FileList();
    for (const file of files) list.push(file);
    return list;
  }

  get length(): number {
    return this.count;
  }

  push(file: StepFileName & Partial<IndexedFile>): void {
    if (kept * (this.count + 1) > this.numbers.length) {
      const longer = new Int32Array(2 * this.numbers.length);
      longer.set(this.numbers);
      this.numbers = longer;
    }
    const shape = shapeOf(file);
    const key = shapeKey(shape);
    const number = this.shapeNumbers.get(key) ?? this.shapes.length;
    if (number === this.shapes.length) {
      this.shapes.push(shape);
      this.shapeNumbers.set(key, number);
    }
    if (this.count > 0 && this.step(this.count - 1) > file.step) this.ascending = false;
    this.numbers.set([number, file.step, file.rows ?? 0, file.groups ?? 0], kept * this.count);
    this.count += 1;
    this.places = undefined;
  }

  at(i: number): IndexedFile {
    const [shape = 0, step = 0, rows = 0, groups = 0] = this.numbers.subarray(kept * i, kept * (i + 1));
    const { before, digits, after, version } = this.shapes[shape]!;
    const file = digits === 0 ? before : `${before}${String(step).padStart(digits, '0')}${after}`;
    return { file, version, step, rows, groups };
  }

  *[Symbol.iterator](): Generator<IndexedFile> {
    for (let i = 0; i < this.count; i++) yield this.at(i);
  }

  step(i: number): number {
    return this.numbers[kept * i + 1]!;
  }

  rows(i: number): number {
    return this.numbers[kept * i + 2]!;
  }

  groups(i: number): number {
    return this.numbers[kept * i + 3]!;
  }

  /** Where the same file stands in this list; undefined where it does not. */
  placeOf(file: StepFileName): number | undefined {
    const shape = this.shapeNumbers.get(shapeKey(shapeOf(file)));
    return shape === undefined ? undefined : this.find(shape, file.step);
  }

  /** The places in `other` of all files here; undefined where one of them does not stand there. */
  placesIn(other: FileList): Int32Array | undefined {
    const shapes = this.shapes.map(shape => other.shapeNumbers.get(shapeKey(shape)) ?? -1);
    const places = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const [shape, step] = [shapes[this.numbers[kept * i]!]!, this.step(i)];
      // mostly the files of a segment follow each other in the run too
      const next = i === 0 ? 0 : places[i - 1]! + 1;
      const place = other.is(next, shape, step) ? next : other.find(shape, step);
      if (place === undefined) return undefined;
      places[i] = place;
    }
    return places;
  }

  /** Whether the first `count` files of the two are the same. */
  beginsAs(other: FileList, count: number): boolean {
    if (count > this.count || count > other.count) return false;
    const shapes = other.shapes.map(shape => this.shapeNumbers.get(shapeKey(shape)) ?? -1);
    for (let i = 0; i < count; i++) if (!this.is(i, shapes[other.numbers[kept * i]!]!, other.step(i))) return false;
    return true;
  }

  private is(i: number, shape: number, step: number): boolean {
    return i < this.count && this.numbers[kept * i] === shape && this.step(i) === step;
  }

  private find(shape: number, step: number): number | undefined {
    if (!this.ascending) {
      this.places ??= new Map(
        Array.from({ length: this.count }, (_, i) => [`${this.numbers[kept * i]} ${this.step(i)}`, i]),
      );
      return this.places.get(`${shape} ${step}`);
    }
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step(middle) < step) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.count && this.step(i) === step; i++) if (this.is(i, shape, step)) return i;
    return undefined;
  }
}

function shapeOf({ file, version, step }: StepFileName): Shape {
  const [, before = '', digits = '', after = ''] = /^(.*?)(\d+)(\D*)$/s.exec(file) ?? [];
  return digits !== '' && String(step).padStart(digits.length, '0') === digits
    ? { before, digits: digits.length, after, version }
    : { before: file, digits: 0, after: '', version };
}

const shapeKey = (shape: Shape): string => JSON.stringify(shape);
