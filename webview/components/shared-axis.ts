// What all charts of a view have in common: the steps along x, the part of them that is shown, the step under the cursor
// and the smoothing.

export type Zoom = readonly [first: number, last: number];

export interface Mark {
  /** Between two steps, or at one. */
  readonly at: number;
  readonly label: string;
  readonly kind: 'phase' | 'rules' | 'resumed';
}

export class SharedAxis {
  steps: readonly number[] = [];
  marks: readonly Mark[] = [];
  zoom: Zoom | undefined;
  /** Index into `steps`. */
  cursor: number | undefined;
  /** Weight of what came before in the moving average, from 0 (none) to below 1. */
  smoothing = 0;

  /** @param cursorMoved told of the cursor alone, often; @param changed told of all else */
  constructor(
    private readonly cursorMoved: () => void,
    private readonly changed: () => void,
  ) {}

  /** The steps that are shown. */
  get range(): Zoom {
    const [first = 0, last = 1] = this.zoom ?? [this.steps[0], this.steps.at(-1)];
    return first === last ? [first - 0.5, last + 0.5] : [first, last];
  }

  /** What begins at a step: a phase, a version of the rules, an attempt. */
  beginningAt(index: number, marks = this.marks): readonly string[] {
    const step = this.steps[index];
    if (step === undefined) return [];
    const before = this.steps[index - 1] ?? Number.NEGATIVE_INFINITY;
    return marks.filter(({ at }) => before < at && at <= step).map(({ label }) => label);
  }

  moveTo(index: number | undefined): void {
    if (index === this.cursor) return;
    this.cursor = index;
    this.cursorMoved();
  }

  /** By a number of steps that are shown; from the end when there is no cursor yet. */
  moveBy(steps: number): void {
    const [first, last] = this.range;
    const low = Math.max(
      this.steps.findIndex(step => step >= first),
      0,
    );
    const high = this.steps.findLastIndex(step => step <= last);
    const from = this.cursor ?? high;
    this.moveTo(Math.min(Math.max(from + steps, low), high));
  }

  show(zoom: Zoom | undefined): void {
    this.zoom = zoom;
    this.changed();
  }

  /** Closer (factor below 1) or wider around the cursor. */
  zoomBy(factor: number): void {
    const [first, last] = this.range;
    const [start, end] = [this.steps[0] ?? 0, this.steps.at(-1) ?? 1];
    const at = (this.cursor === undefined ? undefined : this.steps[this.cursor]) ?? (first + last) / 2;
    const zoom: Zoom = [Math.max(start, at - (at - first) * factor), Math.min(end, at + (last - at) * factor)];
    if (zoom[1] - zoom[0] < 1) return;
    this.show(zoom[0] <= start && zoom[1] >= end ? undefined : zoom);
  }

  smooth(weight: number): void {
    this.smoothing = weight;
    this.changed();
  }
}
