// Goes through the tokens of an answer.

import { type Token, Unreadable } from './tokens';
import { SPACES } from './vocabulary';

/** Deepest nesting that is read: a budget that is a count. */
const MOST_DEPTH = 40;

export abstract class TokenReader {
  protected at = 0;
  protected depth = 0;
  /** Bars that are open: the next one closes. */
  protected bars = 0;
  /** Whether a colon parts a ratio; in a set it comes before the condition. */
  protected ratios = true;

  constructor(protected readonly tokens: Token[]) {}

  protected peek(): Token | undefined {
    while (SPACES.has(this.tokens[this.at]?.kind === 'command' ? this.tokens[this.at]!.text : '')) this.at++;
    return this.tokens[this.at];
  }

  protected accept(mark: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    this.at++;
    return true;
  }

  protected command(name: string, optional = false): boolean {
    const token = this.peek();
    if (token?.kind === 'command' && token.text === name) {
      this.at++;
      return true;
    }
    if (!optional) throw new Unreadable();
    return false;
  }

  protected deeper<T>(read: () => T): T {
    if (++this.depth > MOST_DEPTH) throw new Unreadable();
    const result = read();
    this.depth--;
    return result;
  }
}
