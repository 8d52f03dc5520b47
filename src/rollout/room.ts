// Room for caches that is used again. Memory that is new to the process costs up to a millisecond a megabyte when it is
// first written, which is more than a small model takes to fill it.

/** What is kept for the next cache, in all; a large model's memory goes back instead. */
const MOST_BYTES = 64 * 2 ** 20;

export class Room {
  private readonly free = new Map<number, Float32Array[]>();
  private bytes = 0;

  /** Zeros. */
  take(length: number): Float32Array {
    const known = this.free.get(length)?.pop();
    if (known === undefined) return new Float32Array(length);
    this.bytes -= known.byteLength;
    return known.fill(0);
  }

  /** @param array that nobody reads any more */
  give(array: Float32Array): void {
    if (this.bytes + array.byteLength > MOST_BYTES) return;
    const alike = this.free.get(array.length) ?? [];
    alike.push(array);
    this.free.set(array.length, alike);
    this.bytes += array.byteLength;
  }
}
