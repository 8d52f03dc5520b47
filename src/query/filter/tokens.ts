// The words, numbers, texts and signs of a filter, one after the other.

import type { Arithmetic, Span } from './expression';
import { FilterError } from './problem';

export type Token = Span &
  (
    | { readonly kind: 'word' | 'name' | 'symbol'; readonly text: string }
    | { readonly kind: 'number'; readonly text: string; readonly value: number }
    | { readonly kind: 'text'; readonly text: string; readonly value: string }
    | { readonly kind: 'end' }
  );

const space = /\s*/y;
const word = /[\p{L}_][\p{L}\p{N}_.]*/uy;
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const symbol = /==|!=|<=|>=|!~|&&|\|\||[=<>~()+\-*/,!]/y;
const quotedText = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy;
const quotedName = /`[^`]+`/y;
const slashed = /\/((?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*)\/([A-Za-z]*)/sy;

/** Other ways to write a word. */
const spelled: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };

export class Tokens {
  private at = 0;
  private ahead: Token | undefined;

  constructor(private readonly text: string) {}

  peek(): Token {
    this.ahead ??= this.read();
    return this.ahead;
  }

  next(): Token {
    const token = this.peek();
    this.ahead = undefined;
    return token;
  }

  takeWord(wanted: string): boolean {
    const token = this.peek();
    if (token.kind !== 'word' || token.text.toLowerCase() !== wanted) return false;
    this.next();
    return true;
  }

  takeSymbol(wanted: string): boolean {
    return this.takeOneOf(wanted as Arithmetic) !== undefined;
  }

  takeOneOf<S extends string>(...wanted: readonly S[]): S | undefined {
    const token = this.peek();
    const found = token.kind === 'symbol' ? wanted.find(sign => sign === token.text) : undefined;
    if (found !== undefined) this.next();
    return found;
  }

  /** `/source/flags`, which stands nowhere but after `~`: elsewhere a slash divides. */
  pattern(): { readonly source: string; readonly flags: string } & Span {
    if (this.ahead !== undefined) throw new Error('a pattern is read before anything else is looked at');
    this.skipSpace();
    const start = this.at;
    slashed.lastIndex = start;
    const found = slashed.exec(this.text);
    if (found === null) {
      const at = { start, end: this.text.length };
      const open = this.text[start] === '/';
      const problem = open ? 'the regular expression has no closing /' : 'a /regular expression/ should stand here';
      throw new FilterError(at, problem, undefined, { kind: 'pattern' });
    }
    this.at = slashed.lastIndex;
    const [, source = '', flags = ''] = found;
    return { source: source.replaceAll('\\/', '/'), flags, start, end: this.at };
  }

  private read(): Token {
    this.skipSpace();
    const start = this.at;
    if (start >= this.text.length) return { kind: 'end', start, end: start };
    const took = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = start;
      const [found] = pattern.exec(this.text) ?? [];
      if (found !== undefined) this.at = start + found.length;
      return found;
    };
    const span = () => ({ start, end: this.at });
    let text = took(word);
    if (text !== undefined) return { kind: 'word', text, ...span() };
    text = took(number);
    if (text !== undefined) return { kind: 'number', text, value: Number(text), ...span() };
    text = took(quotedText);
    if (text !== undefined) return { kind: 'text', text, value: unquoted(text), ...span() };
    text = took(quotedName);
    if (text !== undefined) return { kind: 'name', text: text.slice(1, -1), ...span() };
    text = took(symbol);
    if (text !== undefined) {
      const meant = spelled[text];
      return meant === undefined ? { kind: 'symbol', text, ...span() } : { kind: 'word', text: meant, ...span() };
    }
    const sign = String.fromCodePoint(this.text.codePointAt(start)!);
    const open = sign === '"' || sign === "'" || sign === '`';
    const problem = open ? `the text that begins here has no closing ${sign}` : `\`${sign}\` means nothing here`;
    throw new FilterError({ start, end: open ? this.text.length : start + sign.length }, problem, undefined);
  }

  private skipSpace(): void {
    space.lastIndex = this.at;
    space.exec(this.text);
    this.at = space.lastIndex;
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

const unquoted = (text: string): string =>
  text.slice(1, -1).replaceAll(/\\(.)/gs, (_, sign: string) => escapes[sign] ?? sign);
