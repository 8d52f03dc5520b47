// How high the parts of a long list are, most of them alike, and which part lies at a place.

export class Heights {
  /** Where each part begins, and where the last ends; absent while all are alike. */
  private starts: Float64Array | undefined;

  constructor(
    readonly count: number,
    private readonly usual: number,
  ) {}

  get total(): number {
    return this.start(this.count);
  }

  start(index: number): number {
    return this.starts?.[index] ?? index * this.usual;
  }

  of(index: number): number {
    return this.start(index + 1) - this.start(index);
  }

  set(index: number, height: number): void {
    const difference = height - this.of(index);
    if (difference === 0) return;
    this.starts ??= Float64Array.from({ length: this.count + 1 }, (_, i) => i * this.usual);
    for (let i = index + 1; i <= this.count; i++) this.starts[i] = (this.starts[i] as number) + difference;
  }

  /** The part at that place, counted from the top. */
  at(place: number): number {
    if (this.starts === undefined)
      return Math.max(0, Math.min(this.count - 1, Math.floor(place / Math.max(1, this.usual))));
    let [low, high] = [0, Math.max(0, this.count - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.start(middle) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
