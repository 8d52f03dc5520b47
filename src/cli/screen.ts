// The terminal: finished lines, and below them one live line that changes. Elsewhere (a file, a pipe) there is no live
// line and no colour.

import { stripVTControlCharacters } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
};

export class Screen {
  readonly live: boolean;
  private readonly coloured: boolean;
  private shown = '';

  constructor(private readonly stream: NodeJS.WriteStream) {
    const dumb = process.env['TERM'] === 'dumb';
    this.live = stream.isTTY === true && !dumb;
    // https://no-color.org: any value but an empty one
    this.coloured = this.live && (process.env['NO_COLOR'] ?? '') === '';
    // the reader of a pipe went away, or the terminal closed: the run goes on, its log is in the run folder
    stream.on('error', () => {});
  }

  style(style: Style, text: string): string {
    const [on, off] = codes[style];
    return this.coloured ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  }

  line(text = ''): void {
    const { shown } = this;
    this.status('');
    this.stream.write(`${text}\n`);
    this.status(shown);
  }

  /** Replaces the live line; nothing when empty. */
  status(text: string): void {
    if (!this.live || text === this.shown) return;
    this.stream.write(text === '' ? '\r\x1b[2K' : `\r\x1b[2K${cut(text, this.stream.columns || 80)}`);
    this.shown = text;
  }
}

/** A line that wraps cannot be replaced. */
function cut(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length < columns ? text : `${plain.slice(0, Math.max(0, columns - 2))}…`;
}
