// Follows an event log that another process writes, without asking that process.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../protocol/run';
import { eventsFile, parseLines } from './event-log';

export class EventTail {
  private readonly file: string;
  /** Whole lines up to here have been told of. */
  private position = 0;

  constructor(folder: string) {
    this.file = eventsFile(folder);
  }

  /** Events numbered above `after` that were not read before. */
  read(after: number): readonly RunEvent[] {
    let handle: number;
    try {
      handle = openSync(this.file, 'r');
    } catch {
      return [];
    }
    try {
      const { size } = fstatSync(handle);
      // another file in its place
      if (size < this.position) this.position = 0;
      const bytes = Buffer.alloc(size - this.position);
      const read = readSync(handle, bytes, 0, bytes.length, this.position);
      const { lines, end } = parseLines(bytes.subarray(0, read), this.file);
      this.position += end;
      return lines.map(line => line.event).filter(event => event.n > after);
    } finally {
      closeSync(handle);
    }
  }
}
