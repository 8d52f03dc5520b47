// Reads an event log that grows, piece by piece, without holding the window up. Half a line at its end waits for the rest.

import { open } from 'node:fs/promises';
import type { RunEvent } from '../protocol/run';

const pieceBytes = 1 << 20;

export class LogTail {
  private offset = 0;
  private rest = Buffer.alloc(0);
  private reading: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly file: string,
    private readonly take: (event: RunEvent) => void,
  ) {}

  /** Resolves when all that stood in the file when this was called has been taken. */
  async read(): Promise<void> {
    if (this.reading !== undefined) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.readOn();
    try {
      await this.reading;
    } finally {
      this.reading = undefined;
    }
  }

  private async readOn(): Promise<void> {
    do {
      this.again = false;
      await this.readToEnd();
    } while (this.again);
  }

  private async readToEnd(): Promise<void> {
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(this.file, 'r');
    } catch (error) {
      // a run that has just been made, or a folder that was removed
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      throw error;
    }
    try {
      const { size } = await handle.stat();
      // a host that comes after a killed one cuts off a torn last line, which was never taken
      if (size < this.offset) {
        this.offset -= this.rest.length;
        this.rest = Buffer.alloc(0);
      }
      const piece = Buffer.alloc(pieceBytes);
      for (;;) {
        const { bytesRead } = await handle.read(piece, 0, pieceBytes, this.offset);
        if (bytesRead === 0) return;
        this.offset += bytesRead;
        this.takeLines(Buffer.concat([this.rest, piece.subarray(0, bytesRead)]));
      }
    } finally {
      await handle.close();
    }
  }

  private takeLines(bytes: Buffer): void {
    let start = 0;
    for (;;) {
      const newline = bytes.indexOf(0x0a, start);
      if (newline < 0) break;
      const event = parseEvent(bytes.toString('utf8', start, newline));
      if (event !== undefined) this.take(event);
      start = newline + 1;
    }
    this.rest = Buffer.from(bytes.subarray(start));
  }
}

/** A line that is no event was written by someone else, and is left out: the host warns of it when it reads the log. */
function parseEvent(line: string): RunEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const known =
      typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number' && 'kind' in value;
    return known ? (value as RunEvent) : undefined;
  } catch {
    return undefined;
  }
}
