// The events of a run that grows: what was read before is not read again.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../../protocol/run';
import { currentEvents, eventsFile, parseEvent } from '../../run/event-log';

export class EventTail {
  private readonly file: string;
  private readonly all: RunEvent[] = [];
  private current: readonly RunEvent[] | undefined;
  /** Whole lines end here. */
  private end = 0;

  constructor(folder: string) {
    this.file = eventsFile(folder);
  }

  /** The events that count now. */
  read(): readonly RunEvent[] {
    if (!existsSync(this.file)) return [];
    const handle = openSync(this.file, 'r');
    try {
      const { size } = fstatSync(handle);
      // a log only grows: this is another one
      if (size < this.end) {
        this.end = 0;
        this.all.length = 0;
        this.current = undefined;
      }
      if (size > this.end) this.take(handle, size);
    } finally {
      closeSync(handle);
    }
    this.current ??= currentEvents(this.all);
    return this.current;
  }

  private take(handle: number, size: number): void {
    const bytes = Buffer.alloc(size - this.end);
    const read = readSync(handle, bytes, 0, bytes.length, this.end);
    const whole = bytes.lastIndexOf(0x0a, read - 1) + 1;
    for (let start = 0; start < whole; ) {
      const newline = bytes.indexOf(0x0a, start);
      const event = parseEvent(bytes.toString('utf8', start, newline));
      if (event !== undefined) this.all.push(event);
      start = newline + 1;
    }
    this.end += whole;
    if (whole > 0) this.current = undefined;
  }
}
