// The grammar of arithmetic: sums of products of powers. What a command of TeX stands for is read one layer above.

import { call, type Expression, integer, negative, over, power, type Structure } from './expression';
import { TokenReader } from './token-reader';
import { type Token, Unreadable } from './tokens';
import { DECORATIONS, FUNCTION_LETTERS, FUNCTIONS, GREEK, KNOWN_MARKS } from './vocabulary';
import { mixed, numberOf } from './written-numbers';

export abstract class ArithmeticParser extends TokenReader {
  protected abstract items(): readonly Structure[];
  protected abstract commanded(name: string): Expression;

  protected sum(): Expression {
    return this.deeper(() => {
      const terms: Expression[] = [];
      let sign = this.sign() ?? '+';
      for (;;) {
        const term = this.product();
        terms.push(
          sign === '+' ? term : sign === '-' ? negative(term) : { op: 'plus-minus', sign: sign === '±' ? 1 : -1, term },
        );
        const next = this.sign();
        if (next === undefined) break;
        sign = next;
      }
      return terms.length === 1 ? terms[0]! : { op: 'add', terms };
    });
  }

  protected sign(): '+' | '-' | '±' | '∓' | undefined {
    let sign: '+' | '-' | '±' | '∓' | undefined;
    for (let i = 0; i < 2; i++) {
      const next = this.accept('+')
        ? '+'
        : this.accept('-')
          ? '-'
          : this.command('pm', true)
            ? '±'
            : this.command('mp', true)
              ? '∓'
              : undefined;
      if (next === undefined) break;
      if (sign === undefined) sign = next;
      else if (next === '-' && (sign === '+' || sign === '-')) sign = sign === '+' ? '-' : '+';
      else if (next !== '+') throw new Unreadable();
    }
    return sign;
  }

  protected product(): Expression {
    const factors: Expression[] = [];
    let previous: Token | undefined;
    for (;;) {
      const here = this.peek();
      if (
        this.accept('*') ||
        this.command('cdot', true) ||
        this.command('times', true) ||
        this.command('ast', true) ||
        this.command('bullet', true)
      ) {
        factors.push(this.factor());
      } else if (this.accept('/') || this.command('div', true)) {
        factors.push(power(this.factor(), integer(-1)));
      } else if (this.ratios && factors.length > 0 && this.accept(':')) {
        const minutes = this.peek();
        const low = this.factor();
        const top: Expression = factors.length === 1 ? factors[0]! : { op: 'multiply', factors: [...factors] };
        // 12:00 is a time of day
        const clock = minutes?.kind === 'number' && /^\d\d$/.test(minutes.text);
        factors.splice(0, factors.length, clock ? call('clock', top, low) : over(top, low));
      } else if (factors.length === 0) factors.push(this.power());
      else if (this.startsFactor()) {
        const fraction = mixed(factors.at(-1)!, here, previous, this.tokens, this.at);
        const next = fraction === 'plain' ? this.plainFraction() : this.power();
        if (fraction !== undefined) factors.push({ op: 'add', terms: [factors.pop()!, next] });
        else if (here?.kind === 'number' && previous?.kind === 'number') throw new Unreadable();
        else factors.push(next);
      } else break;
      previous = this.tokens[this.at - 1];
    }
    return factors.length === 1 ? factors[0]! : { op: 'multiply', factors };
  }

  /** A factor that may have a sign of its own: 2 * -3. */
  protected factor(): Expression {
    if (this.accept('-')) return negative(this.factor());
    if (this.accept('+')) return this.factor();
    return this.power();
  }

  protected plainFraction(): Expression {
    const top = this.primary();
    this.accept('/');
    return over(top, this.primary());
  }

  protected startsFactor(): boolean {
    const token = this.peek();
    if (token === undefined) return false;
    switch (token.kind) {
      case 'number':
      case 'name':
        return true;
      case 'words':
        return /^(?:[a-zA-Z]|[A-Z]{2,3})$/.test(token.text);
      case 'mark':
        return (
          token.text === '(' || token.text === '{' || token.text === '[' || (token.text === '|' && this.bars === 0)
        );
      case 'command':
        return (
          FUNCTIONS.has(token.text) ||
          GREEK.has(token.text) ||
          DECORATIONS.has(token.text) ||
          [
            'pi',
            'frac',
            'dfrac',
            'tfrac',
            'cfrac',
            'binom',
            'dbinom',
            'tbinom',
            'infty',
            'left',
            'lfloor',
            'lceil',
            'lvert',
            'sum',
            'prod',
            'int',
            'mathbb',
            'operatorname',
            'boxed',
            'fbox',
          ].includes(token.text) ||
          !KNOWN_MARKS.has(token.text)
        );
    }
  }

  protected power(): Expression {
    let base = this.primary();
    for (;;) {
      if (this.accept('!')) base = call('factorial', base);
      else if (this.accept('^') || this.accept('**')) {
        const exponent = this.deeper(() => this.script());
        if (exponent === 'degrees') base = call('degrees', base);
        else if (exponent === 'prime') base = call('prime', base);
        else return power(base, exponent);
      } else if (this.accept("'")) base = call('prime', base);
      else return base;
    }
  }

  /** What stands after ^: one token, or a group. */
  protected script(): Expression | 'degrees' | 'prime' {
    if (this.command('circ', true)) return 'degrees';
    if (this.command('prime', true)) return 'prime';
    if (this.accept('{')) {
      if (this.command('circ', true) && this.accept('}')) return 'degrees';
      if (this.command('prime', true) && this.accept('}')) return 'prime';
      const inner = this.sum();
      if (!this.accept('}')) throw new Unreadable();
      return inner;
    }
    if (this.accept('-')) return negative(this.power());
    if (this.accept('+')) return this.power();
    const token = this.peek();
    // in TeX the exponent of x^23 is 2, but nobody who writes so means it
    if (token?.kind === 'number') {
      this.at++;
      return numberOf(token.text);
    }
    return this.power();
  }

  /** The argument of a command: {…}, or in TeX the one digit or letter that follows. */
  protected argument(): Expression {
    if (this.accept('{')) {
      const inner = this.sum();
      if (!this.accept('}')) throw new Unreadable();
      return inner;
    }
    const token = this.peek();
    if (token?.kind === 'number' && token.text.length > 1 && /^\d/.test(token.text)) {
      // \frac12: two tokens from here on, as this place may be read again
      const parts = [token.text.slice(0, 1), token.text.slice(1)].map(text => ({ ...token, text, spaced: false }));
      this.tokens.splice(this.at, 1, ...parts);
    }
    return this.primary();
  }

  protected primary(): Expression {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Unreadable();
    switch (token.kind) {
      case 'number':
        return this.based(token.text) ?? numberOf(token.text);
      case 'name':
        return this.named(token.text);
      case 'words':
        if (/^[a-zA-Z]$|^[A-Z]{2,3}$/.test(token.text)) return this.named(token.text);
        throw new Unreadable();
      case 'mark':
        return this.group(token.text);
      case 'command':
        return this.deeper(() => this.commanded(token.text));
    }
  }

  protected group(mark: string): Expression {
    const close = mark === '(' ? ')' : mark === '{' ? '}' : mark === '[' ? ']' : undefined;
    if (close !== undefined) {
      const bars = this.bars;
      this.bars = 0;
      const inner = this.sum();
      if (!this.accept(close)) throw new Unreadable();
      this.bars = bars;
      return inner;
    }
    if (mark === '|') {
      this.bars++;
      const inner = this.sum();
      if (!this.accept('|')) throw new Unreadable();
      this.bars--;
      return call('abs', inner);
    }
    throw new Unreadable();
  }

  /** `1012_3`, `2A_{16}` is not read. */
  protected based(digits: string): Expression | undefined {
    const mark = this.tokens[this.at];
    if (mark?.kind !== 'mark' || mark.text !== '_' || !/^\d+$/.test(digits)) return undefined;
    this.at++;
    const base = this.argumentNumber();
    if (base < 2 || base > 36) throw new Unreadable();
    let value = 0n;
    for (const digit of digits) {
      if (Number(digit) >= base) throw new Unreadable();
      value = value * BigInt(base) + BigInt(digit);
    }
    return integer(value);
  }

  protected argumentNumber(): number {
    const braces = this.accept('{');
    const token = this.tokens[this.at++];
    const words: Readonly<Record<string, number>> = { two: 2, eight: 8, ten: 10, sixteen: 16 };
    if (braces && !this.accept('}')) throw new Unreadable();
    if (token?.kind === 'words') return words[token.text] ?? Number(token.text);
    if (token?.kind !== 'number' || !/^\d{1,2}$/.test(token.text)) throw new Unreadable();
    return Number(token.text);
  }

  protected named(name: string): Expression {
    if (name === 'e') return { op: 'constant', name: 'e' };
    const mark = this.peek();
    let symbol: Expression = name === 'i' ? { op: 'constant', name: 'i' } : { op: 'symbol', name };
    if (mark?.kind === 'mark' && mark.text === '_') {
      this.at++;
      symbol = this.subscripted(name);
    }
    const isFunction = FUNCTION_LETTERS.has(name) || this.isDefined();
    if (isFunction) symbol = this.decorated(symbol);
    const open = this.peek();
    if (isFunction && open?.kind === 'mark' && open.text === '(') {
      this.at++;
      const args = this.items().map(item => {
        if (item.is !== 'expression') throw new Unreadable();
        return item.expression;
      });
      if (!this.accept(')')) throw new Unreadable();
      return call('apply', symbol, ...args);
    }
    return symbol;
  }

  /** P(x) = …, at the beginning, says that P is a function. */
  protected isDefined(): boolean {
    const [open, variable, close, equals] = this.tokens.slice(1, 5);
    return (
      this.at === 1 && open?.text === '(' && variable?.kind === 'name' && close?.text === ')' && equals?.text === '='
    );
  }

  /** f', f'' and f^{-1}, where a bracket follows. */
  protected decorated(symbol: Expression): Expression {
    const from = this.at;
    let decorated = symbol;
    while (this.accept("'")) decorated = call('prime', decorated);
    if (this.accept('^')) {
      const inverse = ['{', '-', '1', '}'].every((text, i) => this.tokens[this.at + i]?.text === text);
      if (inverse) {
        this.at += 4;
        decorated = call('inverse', decorated);
      }
    }
    const open = this.tokens[this.at];
    if (open?.kind === 'mark' && open.text === '(') return decorated;
    this.at = from;
    return symbol;
  }

  protected subscripted(name: string): Expression {
    const index = this.deeper(() => {
      const token = this.peek();
      if (token?.kind === 'words') {
        this.at++;
        return { op: 'symbol', name: token.text } as const;
      }
      return this.argument();
    });
    if (index.op === 'symbol') return { op: 'symbol', name: `${name}_${index.name}` };
    if (index.op === 'number' && index.value.denominator === 1n)
      return { op: 'symbol', name: `${name}_${index.value.numerator}` };
    return call('subscript', { op: 'symbol', name }, index);
  }
}
