// The grammar of commands: fractions, roots, functions, logarithms, sums over an index.

import { call, type Expression, integer, negative, over, power, replaced, type Structure } from './expression';
import { ArithmeticParser } from './parse-arithmetic';
import { Unreadable } from './tokens';
import { DECORATIONS, FUNCTIONS, GREEK, KNOWN_MARKS } from './vocabulary';

export abstract class CommandParser extends ArithmeticParser {
  protected abstract chain(): Structure;
  protected abstract braced(): string;

  protected commanded(name: string): Expression {
    if (GREEK.has(name)) {
      const mark = this.peek();
      if (mark?.kind === 'mark' && mark.text === '_') {
        this.at++;
        return this.subscripted(name);
      }
      return { op: 'symbol', name };
    }
    switch (name) {
      case 'pi':
        return { op: 'constant', name: 'pi' };
      case 'infty':
        return { op: 'constant', name: 'infinity' };
      case 'frac':
      case 'dfrac':
      case 'tfrac':
      case 'cfrac': {
        const top = this.argument();
        return over(top, this.argument());
      }
      case 'binom':
      case 'dbinom':
      case 'tbinom': {
        const top = this.argument();
        return call('binomial', top, this.argument());
      }
      case 'sqrt': {
        let root: Expression = integer(2);
        if (this.accept('[')) {
          root = this.sum();
          if (!this.accept(']')) throw new Unreadable();
        }
        return power(this.argument(), power(root, integer(-1)));
      }
      case 'cbrt':
        return power(this.argument(), over(integer(1), integer(3)));
      case 'lfloor':
      case 'lceil': {
        const inner = this.sum();
        this.command(name.replace('l', 'r'));
        return call(name === 'lfloor' ? 'floor' : 'ceil', inner);
      }
      case 'lvert': {
        const inner = this.sum();
        this.command('rvert');
        return call('abs', inner);
      }
      case 'boxed':
      case 'fbox':
        return this.argument();
      case 'mathbb':
        return { op: 'symbol', name: `mathbb ${this.braced()}` };
      case 'sum':
      case 'prod':
      case 'int':
        return this.summed(name);
      case 'log':
      case 'lg':
        return this.logarithm(name);
    }
    if (DECORATIONS.has(name)) {
      return call(name === 'overrightarrow' ? 'vec' : name, this.argument());
    }
    if (FUNCTIONS.has(name)) return this.applied(name);
    if (KNOWN_MARKS.has(name)) throw new Unreadable();
    // a command that nobody knows is a name
    return { op: 'symbol', name: `\\${name}` };
  }

  protected logarithm(name: string): Expression {
    let base: Expression | undefined = name === 'lg' ? integer(10) : undefined;
    if (this.accept('_')) base = this.argument();
    const argument = this.functionArgument();
    return base === undefined ? call('ln', argument) : over(call('ln', argument), call('ln', base));
  }

  /** sin x, sin^2 x, sin^{-1} x, sin(x), gcd(a, b). */
  protected applied(name: string): Expression {
    let exponent: Expression | undefined;
    if (this.accept('^')) {
      const script = this.script();
      if (script === 'degrees' || script === 'prime') throw new Unreadable();
      exponent = script;
    }
    if (['gcd', 'lcm', 'min', 'max'].includes(name)) {
      if (!this.accept('(') && !this.accept('{') && !this.accept('\\{')) throw new Unreadable();
      const args = this.items().map(item => {
        if (item.is !== 'expression') throw new Unreadable();
        return item.expression;
      });
      this.at++;
      return call(name, ...args);
    }
    const argument = this.functionArgument();
    const inverse = exponent?.op === 'number' && exponent.value.numerator === -1n && exponent.value.denominator === 1n;
    if (inverse && ['sin', 'cos', 'tan'].includes(name)) return call(`arc${name}`, argument);
    const applied = name === 'exp' ? power({ op: 'constant', name: 'e' }, argument) : call(name, argument);
    return exponent === undefined ? applied : power(applied, exponent);
  }

  /** sin 2x is the sine of 2x, sin x cos y a product, sin(x) y too. */
  protected functionArgument(): Expression {
    if (this.accept('(')) {
      const inner = this.sum();
      if (!this.accept(')')) throw new Unreadable();
      return inner;
    }
    const factors = [this.accept('-') ? negative(this.power()) : this.power()];
    for (;;) {
      const token = this.peek();
      const simple =
        token !== undefined &&
        (token.kind === 'name' ||
          (token.kind === 'number' && factors.length === 0) ||
          (token.kind === 'command' &&
            (GREEK.has(token.text) || ['pi', 'frac', 'dfrac', 'tfrac'].includes(token.text))));
      if (!simple) break;
      factors.push(this.power());
    }
    return factors.length === 1 ? factors[0]! : { op: 'multiply', factors };
  }

  /** \sum_{k=0}^{n} body: name, lower bound, upper bound, body. */
  protected summed(name: string): Expression {
    let lower: readonly Expression[] = [];
    let upper: Expression | undefined;
    for (let i = 0; i < 2; i++) {
      if (this.accept('_')) {
        if (this.accept('{')) {
          const from = this.chain();
          if (!this.accept('}')) throw new Unreadable();
          lower = (from.is === 'chain' ? from.sides : [from]).map(side => {
            if (side.is !== 'expression') throw new Unreadable();
            return side.expression;
          });
        } else lower = [this.argument()];
      } else if (this.accept('^')) {
        const script = this.script();
        if (script === 'degrees' || script === 'prime') throw new Unreadable();
        upper = script;
      }
    }
    const body = this.product();
    const [index] = lower;
    // an index i is no imaginary unit
    const ofIndex = (part: Expression) =>
      index?.op === 'constant' && index.name === 'i'
        ? replaced(part, inner => (inner.op === 'constant' && inner.name === 'i' ? INDEX : undefined))
        : part;
    return call(name, ...lower.map(ofIndex), upper ?? integer(0), ofIndex(body));
  }
}

const INDEX: Expression = { op: 'symbol', name: 'i' };
