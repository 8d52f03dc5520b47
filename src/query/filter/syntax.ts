// The filter language as it is written: `reward < 0.5 and phase == "image" and completion ~ /wait/i`. Text to a tree with
// the place of every part; what the names mean is for check.ts.

import type { Comparison, Expected, Expression, Literal, Span } from './expression';
import { FilterError } from './problem';
import { type Token, Tokens } from './tokens';

/** Throws a FilterError that says where. */
export function parseFilter(text: string): Expression {
  return new Parser(new Tokens(text)).whole();
}

const comparisons: Readonly<Record<string, Comparison>> = {
  '==': '==',
  '=': '==',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/** Brackets and `not` go no deeper: no person writes it, and the stack ends somewhere. */
const deepest = 200;

class Parser {
  private depth = 0;

  constructor(private readonly tokens: Tokens) {}

  whole(): Expression {
    const expression = this.either();
    const rest = this.tokens.peek();
    if (rest.kind === 'end') return expression;
    throw this.unexpected(rest, { kind: 'connective', after: expression });
  }

  private either(): Expression {
    let left = this.both();
    while (this.tokens.takeWord('or')) left = joined('or', left, this.both());
    return left;
  }

  private both(): Expression {
    let left = this.negation();
    while (this.tokens.takeWord('and')) left = joined('and', left, this.negation());
    return left;
  }

  private negation(): Expression {
    const { start } = this.tokens.peek();
    if (!this.tokens.takeWord('not')) return this.comparison();
    const part = this.deeper(() => this.negation());
    return { kind: 'not', part, start, end: part.end };
  }

  private comparison(): Expression {
    const left = this.sum();
    const { tokens } = this;
    const token = tokens.peek();
    if (token.kind === 'symbol' && comparisons[token.text] !== undefined) {
      tokens.next();
      const right = this.sum(left);
      return { kind: 'compare', op: comparisons[token.text]!, left, right, start: left.start, end: right.end };
    }
    if (token.kind === 'symbol' && (token.text === '~' || token.text === '!~')) {
      tokens.next();
      const { source, flags, end } = tokens.pattern();
      const matches: Expression = { kind: 'matches', part: left, source, flags, start: left.start, end };
      return token.text === '~' ? matches : { kind: 'not', part: matches, start: left.start, end };
    }
    if (tokens.takeWord('is')) {
      const opposite = tokens.takeWord('not');
      const word = tokens.next();
      const said = word.kind === 'word' ? word.text.toLowerCase() : '';
      if (said !== 'null' && said !== 'recorded') throw this.unexpected(word, { kind: 'null-or-recorded' });
      const recorded: Expression = { kind: 'recorded', part: left, start: left.start, end: word.end };
      return (said === 'recorded') !== opposite ? recorded : { ...recorded, kind: 'not', part: recorded };
    }
    const opposite = tokens.takeWord('not');
    if (tokens.takeWord('in')) return negated(opposite, this.list(left));
    if (tokens.takeWord('contains')) {
      const text = tokens.next();
      if (text.kind !== 'text') throw this.unexpected(text, { kind: 'text', of: left });
      return negated(opposite, { kind: 'contains', part: left, text: text.value, start: left.start, end: text.end });
    }
    if (opposite) throw this.unexpected(tokens.peek(), { kind: 'in-or-contains' });
    return left;
  }

  private list(left: Expression): Expression {
    const { tokens } = this;
    const open = tokens.next();
    if (open.kind !== 'symbol' || open.text !== '(') throw this.unexpected(open, { kind: 'symbol', symbol: '(' });
    const values: (Span & { value: Literal })[] = [];
    for (;;) {
      const minus = tokens.takeSymbol('-');
      const token = tokens.next();
      const value = literalOf(token);
      if (value === undefined || (minus && typeof value !== 'number'))
        throw this.unexpected(token, { kind: 'value', of: left });
      values.push({ value: minus ? -Number(value) : value, start: token.start, end: token.end });
      if (tokens.takeSymbol(',')) continue;
      const close = tokens.next();
      if (close.kind === 'symbol' && close.text === ')')
        return { kind: 'in', part: left, values, start: left.start, end: close.end };
      throw this.unexpected(close, { kind: 'symbol', symbol: ')' });
    }
  }

  private sum(comparedWith?: Expression): Expression {
    let left = this.product(comparedWith);
    for (;;) {
      const op = this.tokens.takeOneOf('+', '-');
      if (op === undefined) return left;
      const right = this.product();
      left = { kind: 'arithmetic', op, left, right, start: left.start, end: right.end };
    }
  }

  private product(comparedWith?: Expression): Expression {
    let left = this.unary(comparedWith);
    for (;;) {
      const op = this.tokens.takeOneOf('*', '/');
      if (op === undefined) return left;
      const right = this.unary();
      left = { kind: 'arithmetic', op, left, right, start: left.start, end: right.end };
    }
  }

  private unary(comparedWith?: Expression): Expression {
    const token = this.tokens.next();
    const { start, end } = token;
    if (token.kind === 'symbol' && token.text === '-') {
      const part = this.deeper(() => this.unary());
      return { kind: 'negative', part, start, end: part.end };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      const inside = this.deeper(() => this.either());
      const close = this.tokens.next();
      if (close.kind !== 'symbol' || close.text !== ')')
        throw this.unexpected(close, { kind: 'symbol', symbol: ')', after: inside });
      return { ...inside, start, end: close.end };
    }
    const value = literalOf(token);
    if (value !== undefined) return { kind: 'literal', value, start, end };
    if (token.kind === 'name' || (token.kind === 'word' && !reserved.has(token.text.toLowerCase())))
      return { kind: 'name', name: token.text, start, end };
    throw this.unexpected(
      token,
      comparedWith === undefined ? { kind: 'operand' } : { kind: 'value', of: comparedWith },
    );
  }

  private deeper<T>(parse: () => T): T {
    const { start, end } = this.tokens.peek();
    this.depth += 1;
    if (this.depth > deepest) throw new FilterError({ start, end }, 'the filter is nested too deeply', undefined);
    const result = parse();
    this.depth -= 1;
    return result;
  }

  private unexpected(token: Token, expected: Expected): FilterError {
    const found = token.kind === 'end' ? 'the filter ends here' : `this is ${shown(token)}`;
    return new FilterError(token, `${found}, where ${inWords(expected)} should stand`, undefined, expected);
  }
}

function inWords(expected: Expected): string {
  switch (expected.kind) {
    case 'operand':
      return 'a column or a value';
    case 'connective':
      return '`and`, `or` or a comparison';
    case 'value':
      return 'a value';
    case 'text':
      return 'a text in quotes';
    case 'in-or-contains':
      return '`in` or `contains`';
    case 'null-or-recorded':
      return '`null` or `recorded`';
    case 'pattern':
      return 'a /regular expression/';
    case 'symbol':
      return `\`${expected.symbol}\``;
  }
}

const reserved: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'is', 'contains', 'null', 'recorded']);

function literalOf(token: Token): Literal | undefined {
  if (token.kind === 'number' || token.kind === 'text') return token.value;
  if (token.kind !== 'word') return undefined;
  const word = token.text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

const shown = (token: Token): string => (token.kind === 'end' ? 'the end' : `\`${token.text}\``);

const joined = (kind: 'and' | 'or', left: Expression, right: Expression): Expression => ({
  kind,
  left,
  right,
  start: left.start,
  end: right.end,
});

const negated = (opposite: boolean, part: Expression): Expression =>
  opposite ? { kind: 'not', part, start: part.start, end: part.end } : part;
