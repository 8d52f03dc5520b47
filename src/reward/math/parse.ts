// The grammar of answers: lists of relations of sums of products of powers, with brackets, sets, intervals and matrices
// at the leaves. Recursive descent; whatever cannot be read throws Unreadable, which the reader of values turns to text.

import { decimal, multiply, power as powerOfTen, type Rational } from '../rational';
import {
  call,
  contains,
  type Expression,
  integer,
  negative,
  over,
  power,
  type Relation,
  replaced,
  type Structure,
} from './expression';
import { type Token, tokenize, Unreadable } from './tokens';

/** Deepest nesting that is read: a budget that is a count. */
const MOST_DEPTH = 40;

const RELATIONS: Readonly<Record<string, Relation>> = {
  '=': '=',
  '==': '=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
  '!=': '!=',
  lt: '<',
  gt: '>',
  le: '<=',
  leq: '<=',
  leqslant: '<=',
  ge: '>=',
  geq: '>=',
  geqslant: '>=',
  ne: '!=',
  neq: '!=',
  in: 'in',
  approx: 'approximately',
  equiv: 'equivalent',
};

const GREEK = new Set(
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar'.split(
    ' ',
  ),
);
const FUNCTIONS = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln exp log lg gcd lcm min max deg det floor ceil abs sqrt cbrt'.split(
    ' ',
  ),
);
/** Letters that are functions where a bracket follows. */
const FUNCTION_LETTERS = new Set(['f', 'g', 'h', 'F', 'G']);
const SPACES = new Set(['quad', 'qquad', 'thinspace', 'nobreak']);
const DECORATIONS = new Set([
  'overline',
  'vec',
  'hat',
  'bar',
  'tilde',
  'overrightarrow',
  'widehat',
  'mathcal',
  'mathfrak',
  'mathscr',
  'boldsymbol',
  'underline',
  'dot',
  'angle',
  'triangle',
]);

type Separator = ',' | 'and' | 'or';

const isInequality = (structure: Structure): boolean =>
  structure.is === 'chain' && structure.relations.every(relation => /^[<>]=?$/.test(relation));

/** x ≠ 1, 2 is x ≠ 1 and x ≠ 2. */
function exceptions([first, ...rest]: readonly Structure[]): readonly Structure[] | undefined {
  if (first?.is !== 'chain' || first.relations.join() !== '!=' || rest.length === 0) return undefined;
  const [name] = first.sides;
  return rest.every(item => item.is === 'expression')
    ? [first, ...rest.map((item): Structure => ({ is: 'chain', sides: [name!, item], relations: ['!='] }))]
    : undefined;
}

export function parseStructure(text: string, decimalComma: boolean): Structure {
  const parser = new Parser([...tokenize(text, decimalComma)]);
  return parser.whole();
}

class Parser {
  private at = 0;
  private depth = 0;
  /** Bars that are open: the next one closes. */
  private bars = 0;
  /** Whether a colon parts a ratio; in a set it comes before the condition. */
  private ratios = true;

  constructor(private readonly tokens: Token[]) {}

  whole(): Structure {
    const structure = this.list();
    this.accept('.');
    if (this.at < this.tokens.length) throw new Unreadable();
    return structure;
  }

  private list(): Structure {
    const items = [this.chain()];
    const words = new Set<Separator>();
    for (;;) {
      let separator = this.separator(items.at(-1)!);
      if (separator === undefined) break;
      // a comma may stand before "and", and at the end
      for (; separator !== undefined; separator = this.separator(items.at(-1)!))
        if (separator !== ',') words.add(separator);
      if (this.at >= this.tokens.length) break;
      items.push(this.chain());
    }
    const [word] = words;
    // conditions of which both hold, or one
    if (items.length > 1 && words.size === 1 && items.every(isInequality))
      return { is: 'join', by: word === 'and' ? 'intersection' : 'union', parts: items };
    const excepted = exceptions(items);
    if (excepted !== undefined) return { is: 'join', by: 'intersection', parts: excepted };
    return items.length === 1 ? items[0]! : { is: 'list', items };
  }

  private separator(before: Structure): Separator | undefined {
    if (this.accept(',') || this.accept(';')) return ',';
    if (isInequality(before) && (this.command('lor', true) || this.command('vee', true))) return 'or';
    if (isInequality(before) && (this.command('land', true) || this.command('wedge', true))) return 'and';
    const token = this.peek();
    const word = token?.kind === 'words' ? /^,?\s*(and|or|,)\s*,?$/.exec(token.text)?.[1] : undefined;
    if (word === undefined) return undefined;
    this.at++;
    return word as Separator;
  }

  private chain(): Structure {
    const sides = [this.side()];
    const relations: Relation[] = [];
    for (;;) {
      const relation = this.relation();
      if (relation === undefined) break;
      relations.push(relation);
      sides.push(this.side());
    }
    return relations.length === 0 ? sides[0]! : { is: 'chain', sides, relations };
  }

  /** With its modulus, where it has one: 1 \pmod{4}. */
  private side(): Structure {
    const side = this.join();
    if (side.is !== 'expression' || !this.command('pmod', true)) return side;
    return { is: 'expression', expression: call('mod', side.expression, this.argument()) };
  }

  private relation(): Relation | undefined {
    const token = this.peek();
    if (token === undefined || token.kind === 'number' || token.kind === 'name' || token.kind === 'words')
      return undefined;
    const relation = Object.hasOwn(RELATIONS, token.text) ? RELATIONS[token.text] : undefined;
    if (relation === undefined) return undefined;
    this.at++;
    // "=>" and "=<" as some write
    if ((relation === '<' || relation === '>') && this.accept('=')) return `${relation}=`;
    return relation;
  }

  private join(): Structure {
    let left: Structure = this.structured();
    for (;;) {
      const token = this.peek();
      const by =
        token?.kind === 'command' && token.text === 'cup'
          ? 'union'
          : token?.kind === 'command' && token.text === 'cap'
            ? 'intersection'
            : token?.kind === 'command' && (token.text === 'setminus' || token.text === 'backslash')
              ? 'without'
              : undefined;
      if (by === undefined) return left;
      this.at++;
      const right = this.structured();
      left =
        left.is === 'join' && left.by === by && by !== 'without'
          ? { ...left, parts: [...left.parts, right] }
          : { is: 'join', by, parts: [left, right] };
    }
  }

  /** What is more than arithmetic, where it stands alone; else a sum. */
  private structured(): Structure {
    const from = this.at;
    const structure = this.deeper(() => this.structure());
    if (structure !== undefined && !this.continues()) return structure;
    this.at = from;
    const bars = this.bars;
    try {
      return { is: 'expression', expression: this.sum() };
    } catch (error) {
      this.bars = bars;
      throw error;
    }
  }

  /** Whether what follows would make an expression of what stands before. */
  private continues(): boolean {
    const token = this.peek();
    if (token === undefined) return false;
    if (token.kind === 'words') return !/^,?\s*(?:and|or|,)\s*,?$/.test(token.text);
    if (token.kind === 'mark') return '+-*/^_([|:'.includes(token.text) || token.text === '\\{';
    if (token.kind === 'command')
      return (
        !Object.hasOwn(RELATIONS, token.text) && !['cup', 'cap', 'setminus', 'backslash', 'mid'].includes(token.text)
      );
    return true;
  }

  private structure(): Structure | undefined {
    const token = this.peek();
    if (token === undefined) throw new Unreadable();
    if (token.kind === 'mark' && (token.text === '(' || token.text === '[')) return this.bracket(token.text);
    if (token.kind === 'mark' && token.text === '\\{') return this.braces('\\}');
    if (token.kind === 'mark' && token.text === '{') return this.braces('}');
    if (token.kind === 'command') {
      if (token.text === 'lbrace' || token.text === 'langle' || token.text === 'lbrack') {
        this.at++;
        const items = this.items();
        this.command(token.text.replace('l', 'r'));
        if (token.text === 'lbrace') return { is: 'set', items };
        return { is: 'bracket', open: '(', close: ')', items };
      }
      if (token.text === 'emptyset' || token.text === 'varnothing') {
        this.at++;
        return { is: 'set', items: [] };
      }
      if (token.text === 'begin') {
        const matrix = this.matrix();
        return matrix;
      }
    }
    return undefined;
  }

  private bracket(open: '(' | '['): Structure | undefined {
    this.at++;
    const items = this.items();
    const close = this.accept(')') ? ')' : this.accept(']') ? ']' : undefined;
    if (close === undefined) throw new Unreadable();
    // one thing in matching brackets is the thing itself
    const [only] = items;
    if (items.length === 1 && only !== undefined && (open === '(') === (close === ')'))
      return only.is === 'expression' ? undefined : only;
    return { is: 'bracket', open, close, items };
  }

  private braces(close: string): Structure | undefined {
    this.at++;
    if (this.accept(close)) {
      if (close === '}') return undefined;
      return { is: 'set', items: [] };
    }
    const [ratios, bars] = [this.ratios, this.bars];
    // a bar in {x | x > 1} opens nothing
    [this.ratios, this.bars] = [false, 1];
    const items = this.items();
    [this.ratios, this.bars] = [ratios, bars];
    if (this.command('mid', true) || this.accept('|') || this.accept(':')) {
      const condition = this.list();
      if (!this.accept(close)) throw new Unreadable();
      return { is: 'such-that', condition };
    }
    if (!this.accept(close)) throw new Unreadable();
    if (close === '\\}') return { is: 'set', items };
    const [only] = items;
    if (items.length === 1 && only !== undefined) return only.is === 'expression' ? undefined : only;
    return { is: 'list', items };
  }

  private items(): readonly Structure[] {
    const list = this.deeper(() => this.list());
    return list.is === 'list' ? list.items : [list];
  }

  private matrix(): Structure {
    this.at++;
    const name = this.braced();
    if (!/^(?:[pbvBV]?matrix|smallmatrix|array|bsmallmatrix|psmallmatrix)\*?$/.test(name)) throw new Unreadable();
    if (name === 'array') this.braced();
    const rows: Expression[][] = [[]];
    for (;;) {
      if (this.accept('&')) continue;
      if (this.accept('\\\\')) {
        rows.push([]);
        continue;
      }
      if (this.command('hline', true)) continue;
      if (this.command('end', true)) {
        this.braced();
        break;
      }
      rows.at(-1)!.push(this.deeper(() => this.sum()));
    }
    if (rows.at(-1)!.length === 0) rows.pop();
    const width = rows[0]?.length ?? 0;
    if (width === 0 || rows.some(row => row.length !== width)) throw new Unreadable();
    // a determinant is a number, but working it out is more than reading it
    return { is: 'matrix', rows };
  }

  /** The letters in `{pmatrix}`. */
  private braced(): string {
    if (!this.accept('{')) throw new Unreadable();
    let text = '';
    while (!this.accept('}')) {
      const token = this.tokens[this.at++];
      if (token === undefined) throw new Unreadable();
      text += token.text;
    }
    return text;
  }

  private sum(): Expression {
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

  private sign(): '+' | '-' | '±' | '∓' | undefined {
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

  private product(): Expression {
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
  private factor(): Expression {
    if (this.accept('-')) return negative(this.factor());
    if (this.accept('+')) return this.factor();
    return this.power();
  }

  private plainFraction(): Expression {
    const top = this.primary();
    this.accept('/');
    return over(top, this.primary());
  }

  private startsFactor(): boolean {
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

  private power(): Expression {
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
  private script(): Expression | 'degrees' | 'prime' {
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
  private argument(): Expression {
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

  private primary(): Expression {
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

  private group(mark: string): Expression {
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
  private based(digits: string): Expression | undefined {
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

  private argumentNumber(): number {
    const braces = this.accept('{');
    const token = this.tokens[this.at++];
    const words: Readonly<Record<string, number>> = { two: 2, eight: 8, ten: 10, sixteen: 16 };
    if (braces && !this.accept('}')) throw new Unreadable();
    if (token?.kind === 'words') return words[token.text] ?? Number(token.text);
    if (token?.kind !== 'number' || !/^\d{1,2}$/.test(token.text)) throw new Unreadable();
    return Number(token.text);
  }

  private named(name: string): Expression {
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
  private isDefined(): boolean {
    const [open, variable, close, equals] = this.tokens.slice(1, 5);
    return (
      this.at === 1 && open?.text === '(' && variable?.kind === 'name' && close?.text === ')' && equals?.text === '='
    );
  }

  /** f', f'' and f^{-1}, where a bracket follows. */
  private decorated(symbol: Expression): Expression {
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

  private subscripted(name: string): Expression {
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

  private commanded(name: string): Expression {
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

  private logarithm(name: string): Expression {
    let base: Expression | undefined = name === 'lg' ? integer(10) : undefined;
    if (this.accept('_')) base = this.argument();
    const argument = this.functionArgument();
    return base === undefined ? call('ln', argument) : over(call('ln', argument), call('ln', base));
  }

  /** sin x, sin^2 x, sin^{-1} x, sin(x), gcd(a, b). */
  private applied(name: string): Expression {
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
  private functionArgument(): Expression {
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
  private summed(name: string): Expression {
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

  private peek(): Token | undefined {
    while (SPACES.has(this.tokens[this.at]?.kind === 'command' ? this.tokens[this.at]!.text : '')) this.at++;
    return this.tokens[this.at];
  }

  private accept(mark: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    this.at++;
    return true;
  }

  private command(name: string, optional = false): boolean {
    const token = this.peek();
    if (token?.kind === 'command' && token.text === name) {
      this.at++;
      return true;
    }
    if (!optional) throw new Unreadable();
    return false;
  }

  private deeper<T>(read: () => T): T {
    if (++this.depth > MOST_DEPTH) throw new Unreadable();
    const result = read();
    this.depth--;
    return result;
  }
}

const INDEX: Expression = { op: 'symbol', name: 'i' };

/** Commands that stand between factors or end them. */
const KNOWN_MARKS = new Set([
  ...Object.keys(RELATIONS),
  ...'cdot times ast bullet div pm mp cup cap setminus backslash mid lor vee land rfloor rceil rvert rbrace rangle rbrack lbrace langle lbrack begin end hline to rightarrow Rightarrow implies iff dots ldots cdots dotsm dotsc circ prime emptyset varnothing mod pmod bmod sim perp parallel cong colon'.split(
    ' ',
  ),
]);

/** Whether a whole number and the fraction after it are a mixed number: 1\frac{4}{5}, 1 1/2. */
function mixed(
  before: Expression,
  here: Token | undefined,
  previous: Token | undefined,
  tokens: readonly Token[],
  at: number,
): 'tex' | 'plain' | undefined {
  if (previous?.kind !== 'number' || before.op !== 'number' || before.places !== undefined) return undefined;
  if (here?.kind === 'number') {
    const [slash, low] = [tokens[at + 1], tokens[at + 2]];
    return here.spaced &&
      slash?.kind === 'mark' &&
      slash.text === '/' &&
      low?.kind === 'number' &&
      /^\d+$/.test(here.text)
      ? 'plain'
      : undefined;
  }
  if (here?.kind !== 'command' || !/^[dtc]?frac$/.test(here.text)) return undefined;
  // \frac{4}{5}, \frac45, \frac4{5}: whole numbers only, and below 1
  const rest = tokens
    .slice(at + 1, at + 7)
    .map(token => token.text)
    .join(' ');
  const parts =
    /^\{ (\d+) \} \{ (\d+) \}/.exec(rest) ??
    /^(\d) ?(\d)(?: |$)/.exec(rest) ??
    /^(\d) \{ (\d+) \}/.exec(rest) ??
    /^\{ (\d+) \} (\d)/.exec(rest);
  return parts !== null && Number(parts[1]) < Number(parts[2]) ? 'tex' : undefined;
}

function numberOf(text: string): Expression {
  const [mantissa = '', exponent] = text.split(/[eE]/);
  const value = decimal(mantissa);
  if (value === undefined) throw new Unreadable();
  if (exponent === undefined) {
    const places = mantissa.includes('.') ? mantissa.length - mantissa.indexOf('.') - 1 : undefined;
    return { op: 'number', value, ...(places === undefined ? {} : { places }) };
  }
  const size = powerOfTen(Number(exponent));
  const product = size && multiply(value, size);
  if (product === undefined) throw new Unreadable();
  return { op: 'number', value: product };
}

/** The constant value of a fraction of whole numbers, as it is written: 2/4 and -(2/4), but not 1/2 + 1/4. */
export function writtenFraction(
  expression: Expression,
): { readonly top: Rational; readonly low: Rational } | undefined {
  if (expression.op !== 'multiply') return undefined;
  const plain = expression.factors.filter(
    f => !(f.op === 'number' && f.value.denominator === 1n && (f.value.numerator === -1n || f.value.numerator === 1n)),
  );
  const nested = plain.length === 1 && plain[0]?.op === 'multiply' ? plain[0].factors : plain;
  const [a, b] = nested;
  if (nested.length !== 2 || a?.op !== 'number' || b?.op !== 'power' || b.base.op !== 'number') return undefined;
  return { top: a.value, low: b.base.value };
}

export const isConstant = (expression: Expression): boolean =>
  !contains(
    expression,
    part => part.op === 'symbol' || (part.op === 'call' && ['apply', 'subscript', 'prime'].includes(part.name)),
  );
