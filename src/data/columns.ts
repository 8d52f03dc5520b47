// Numbers of many examples in little memory: columns that grow, and a table of hashes.

type Numbers = Float64Array | Uint32Array | Uint8Array;

/** A typed array that grows. */
export class Column<T extends Numbers> {
  length = 0;

  constructor(private values: T) {}

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new (this.values.constructor as new (length: number) => T)(Math.max(1024, this.length * 2));
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length++] = value;
  }

  at(index: number): number {
    return this.values[index] as number;
  }
}

/** 64 bits of a hash. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** What was seen first under a hash, by number: open addressing over typed arrays, 12 bytes an entry and as much again free. */
export class HashTable {
  private size = 0;
  private high = new Uint32Array(1024);
  private low = new Uint32Array(1024);
  /** The number plus one; 0 where the slot is free. */
  private numbers = new Uint32Array(1024);

  /** @returns the number that stands under the hash already; otherwise puts this one there */
  add({ high, low }: Hash64, number: number): number | undefined {
    if (this.size * 2 >= this.numbers.length) this.grow();
    const slot = this.slot(high, low);
    const known = this.numbers[slot] as number;
    if (known > 0) return known - 1;
    this.put(slot, high, low, number + 1);
    return undefined;
  }

  get({ high, low }: Hash64): number | undefined {
    const known = this.numbers[this.slot(high, low)] as number;
    return known > 0 ? known - 1 : undefined;
  }

  private slot(high: number, low: number): number {
    const mask = this.numbers.length - 1;
    let slot = low & mask;
    while (this.numbers[slot] !== 0 && (this.high[slot] !== high || this.low[slot] !== low)) slot = (slot + 1) & mask;
    return slot;
  }

  private put(slot: number, high: number, low: number, number: number): void {
    this.high[slot] = high;
    this.low[slot] = low;
    this.numbers[slot] = number;
    this.size++;
  }

  private grow(): void {
    const { high, low, numbers } = this;
    const length = numbers.length * 2;
    [this.high, this.low, this.numbers] = [new Uint32Array(length), new Uint32Array(length), new Uint32Array(length)];
    this.size = 0;
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number;
      if (number > 0)
        this.put(this.slot(high[i] as number, low[i] as number), high[i] as number, low[i] as number, number);
    }
  }
}
