// Values of an expression at seeded points, as complex numbers: two expressions that agree at all of them are taken as
// equal where no canonical form says more. Points have both signs, so that |x| is not x and the root of x^2 neither.

import { hashText, Random } from '../../protocol/random';
import { canonical, keyOf } from './canonical';
import { contains, type Expression, replaced } from './expression';

export interface Complex {
  readonly re: number;
  readonly im: number;
}

const MOST_STEPS = 20_000;
const MOST_SUMMED = 200;
const POINTS = 6;
const LEAST_POINTS = 2;
const TOLERANCE = 1e-11;
/** Beyond it a small term no longer shows: such points say nothing. */
const LARGEST = 1e6;

const complex = (re: number, im = 0): Complex => ({ re, im });
const add = (a: Complex, b: Complex) => complex(a.re + b.re, a.im + b.im);
const times = (a: Complex, b: Complex) =>
  a.im === 0 && b.im === 0 ? complex(a.re * b.re) : complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
const scaled = (a: Complex, by: number) => complex(a.re * by, a.im * by);
export const sizeOf = ({ re, im }: Complex) => Math.hypot(re, im);
const divided = (a: Complex, b: Complex) => {
  const size = b.re * b.re + b.im * b.im;
  return complex((a.re * b.re + a.im * b.im) / size, (a.im * b.re - a.re * b.im) / size);
};
const exp = (a: Complex) => {
  const size = Math.exp(a.re);
  return a.im === 0 ? complex(size) : complex(size * Math.cos(a.im), size * Math.sin(a.im));
};
const ln = (a: Complex) => complex(Math.log(sizeOf(a)), Math.atan2(a.im, a.re));
const I = complex(0, 1);
const ONE = complex(1);
const real = (a: Complex) => (Math.abs(a.im) < 1e-12 * Math.max(1, Math.abs(a.re)) ? a.re : Number.NaN);

function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0 && Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 1024) {
    if (base.im === 0) return complex(base.re ** exponent.re);
    let [result, square] = [ONE, exponent.re < 0 ? divided(ONE, base) : base];
    for (let n = Math.abs(exponent.re); n > 0; n = Math.floor(n / 2)) {
      if (n % 2 === 1) result = times(result, square);
      square = times(square, square);
    }
    return result;
  }
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? complex(0) : complex(Number.NaN);
  if (base.im === 0 && base.re > 0 && exponent.im === 0) return complex(base.re ** exponent.re);
  return exp(times(exponent, ln(base)));
}

const sin = (a: Complex) => complex(Math.sin(a.re) * Math.cosh(a.im), Math.cos(a.re) * Math.sinh(a.im));
const cos = (a: Complex) => complex(Math.cos(a.re) * Math.cosh(a.im), -Math.sin(a.re) * Math.sinh(a.im));
const sqrt = (a: Complex) => power(a, complex(0.5));
/** -i ln(iz + sqrt(1 - z^2)) */
const arcsin = (a: Complex) => times(complex(0, -1), ln(add(times(I, a), sqrt(add(ONE, scaled(times(a, a), -1))))));
const arctan = (a: Complex) =>
  a.im === 0
    ? complex(Math.atan(a.re))
    : times(complex(0, 0.5), add(ln(add(ONE, scaled(times(I, a), -1))), scaled(ln(add(ONE, times(I, a))), -1)));

/** Lanczos' approximation, g = 7, n = 9. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function gamma(a: Complex): Complex {
  if (a.re < 0.5) return divided(complex(Math.PI), times(sin(scaled(a, Math.PI)), gamma(add(ONE, scaled(a, -1)))));
  const z = add(a, complex(-1));
  let sum = complex(LANCZOS[0]!);
  for (let i = 1; i < 9; i++) sum = add(sum, divided(complex(LANCZOS[i]!), add(z, complex(i))));
  const t = add(z, complex(7.5));
  return times(scaled(power(t, add(z, complex(0.5))), Math.sqrt(2 * Math.PI)), times(exp(scaled(t, -1)), sum));
}

const FUNCTIONS: Readonly<Record<string, (...args: readonly Complex[]) => Complex>> = {
  sin: (a = ONE) => sin(a),
  cos: (a = ONE) => cos(a),
  tan: (a = ONE) => divided(sin(a), cos(a)),
  cot: (a = ONE) => divided(cos(a), sin(a)),
  sec: (a = ONE) => divided(ONE, cos(a)),
  csc: (a = ONE) => divided(ONE, sin(a)),
  arcsin: (a = ONE) => arcsin(a),
  arccos: (a = ONE) => add(complex(Math.PI / 2), scaled(arcsin(a), -1)),
  arctan: (a = ONE) => arctan(a),
  sinh: (a = ONE) => scaled(add(exp(a), scaled(exp(scaled(a, -1)), -1)), 0.5),
  cosh: (a = ONE) => scaled(add(exp(a), exp(scaled(a, -1))), 0.5),
  tanh: (a = ONE) => divided(sin(times(I, a)), times(I, cos(times(I, a)))),
  ln: (a = ONE) => ln(a),
  abs: (a = ONE) => complex(sizeOf(a)),
  floor: (a = ONE) => complex(Math.floor(real(a))),
  ceil: (a = ONE) => complex(Math.ceil(real(a))),
  factorial: (a = ONE) => gamma(add(a, ONE)),
  binomial: (n = ONE, k = ONE) =>
    divided(gamma(add(n, ONE)), times(gamma(add(k, ONE)), gamma(add(add(n, scaled(k, -1)), ONE)))),
  min: (...args) => complex(Math.min(...args.map(real))),
  max: (...args) => complex(Math.max(...args.map(real))),
  gcd: (...args) => complex(args.map(real).reduce((a, b) => common(a, b))),
  lcm: (...args) => complex(args.map(real).reduce((a, b) => Math.abs(a * b) / common(a, b))),
  degrees: (a = ONE) => scaled(a, Math.PI / 180),
};

function common(a: number, b: number): number {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return Number.NaN;
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

class Beyond extends Error {}

type Point = ReadonlyMap<string, Complex>;

class Evaluation {
  private steps = 0;
  private readonly opaques = new Map<Expression, Complex>();

  constructor(private readonly seed: number) {}

  at(expression: Expression, point: Point): Complex {
    if (++this.steps > MOST_STEPS) throw new Beyond();
    switch (expression.op) {
      case 'number':
        return complex(quotient(expression.value.numerator, expression.value.denominator));
      case 'constant':
        return { pi: complex(Math.PI), e: complex(Math.E), i: I, infinity: complex(Number.POSITIVE_INFINITY) }[
          expression.name
        ];
      case 'symbol':
        return point.get(expression.name) ?? this.opaque(expression);
      case 'add':
        return expression.terms.map(term => this.at(term, point)).reduce(add, complex(0));
      case 'multiply':
        return expression.factors.map(factor => this.at(factor, point)).reduce(times, ONE);
      case 'power':
        return power(this.at(expression.base, point), this.at(expression.exponent, point));
      case 'plus-minus':
        throw new Beyond();
      case 'call': {
        if (expression.name === 'sum' || expression.name === 'prod') {
          const total = this.summed(expression, point);
          if (total !== undefined) return total;
        }
        const known = Object.hasOwn(FUNCTIONS, expression.name) ? FUNCTIONS[expression.name] : undefined;
        return known === undefined
          ? this.opaque(expression)
          : known(...expression.args.map(arg => this.at(arg, point)));
      }
    }
  }

  private summed({ name, args }: Expression & { readonly op: 'call' }, point: Point): Complex | undefined {
    const [index, lower, upper, body] = args;
    if (args.length !== 4 || index?.op !== 'symbol' || !lower || !upper || !body) return undefined;
    const [from, to] = [real(this.at(lower, point)), real(this.at(upper, point))];
    if (!Number.isInteger(from) || !Number.isInteger(to) || to - from > MOST_SUMMED) return undefined;
    let total = complex(name === 'sum' ? 0 : 1);
    for (let k = from; k <= to; k++) {
      const value = this.at(body, new Map([...point, [index.name, complex(k)]]));
      total = name === 'sum' ? add(total, value) : times(total, value);
    }
    return total;
  }

  /** What cannot be worked out has a value of its own, that of its canonical form. */
  private opaque(expression: Expression): Complex {
    const known = this.opaques.get(expression);
    if (known !== undefined) return known;
    const form = canonical(expression);
    if (form === undefined) throw new Beyond();
    const random = new Random('opaque', this.seed, hashText(keyOf(form)));
    const value = complex(0.4 + 2 * random.uniform(), 0.3 * random.uniform());
    this.opaques.set(expression, value);
    return value;
  }
}

/** A quotient of whole numbers of any size. */
export function quotient(top: bigint, low: bigint): number {
  const [a, b] = [Number(top), Number(low)];
  if (Number.isFinite(a) && Number.isFinite(b)) return a / b;
  const shift = BigInt(Math.max(top.toString().length, low.toString().length) - 300);
  return Number(top / 10n ** shift) / Number(low / 10n ** shift);
}

function symbolsOf(expressions: readonly Expression[]): readonly string[] {
  const names = new Set<string>();
  for (const expression of expressions)
    contains(expression, part => {
      if (part.op === 'symbol') names.add(part.name);
      return false;
    });
  return [...names].sort();
}

/** The values of expressions at the same points, where all of them have one; undefined beyond the budget. */
export function sample(expressions: readonly Expression[], reals = false): readonly (readonly Complex[])[] | undefined {
  const names = symbolsOf(expressions);
  const points: (readonly Complex[])[] = [];
  try {
    for (let i = 0; i < POINTS; i++) {
      const random = new Random('sampling', names.join(' '), i);
      const point = new Map(
        names.map(name => {
          const size = 0.3 + 2.2 * random.uniform();
          // the first points are positive, as some expressions have no other domain; the third is negative
          const sign = i < 2 || (i > 2 && random.uniform() < 0.5) ? 1 : -1;
          return [name, complex(sign * size, !reals && i === POINTS - 1 ? random.uniform() : 0)] as const;
        }),
      );
      const evaluation = new Evaluation(i);
      const values = expressions.map(expression => evaluation.at(expression, point));
      if (values.every(({ re, im }) => Number.isFinite(re) && Number.isFinite(im))) points.push(values);
      if (names.length === 0) break;
    }
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
  return points;
}

export const close = (a: Complex, b: Complex): boolean =>
  Math.hypot(a.re - b.re, a.im - b.im) <= TOLERANCE * Math.max(sizeOf(a), sizeOf(b), 1e-2);

export function agree(a: Expression, b: Expression): boolean {
  const points = sample([a, b]);
  if (points === undefined) return false;
  const least = symbolsOf([a, b]).length === 0 ? 1 : LEAST_POINTS;
  const telling = points.filter(values => values.every(value => sizeOf(value) <= LARGEST));
  return telling.length >= least && points.every(([x, y]) => close(x!, y!));
}

/** The value of an expression without symbols, where it is real. */
export function realValue(expression: Expression): number | undefined {
  if (expression.op === 'constant' && expression.name === 'infinity') return Number.POSITIVE_INFINITY;
  if (symbolsOf([expression]).length > 0) return undefined;
  try {
    const value = real(new Evaluation(0).at(expression, new Map()));
    return Number.isNaN(value) ? undefined : value;
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}

/** Every ± and ∓ with the same sign: the two expressions that are meant. */
export function bothSigns(expression: Expression): readonly Expression[] {
  if (!contains(expression, part => part.op === 'plus-minus')) return [expression];
  return [1n, -1n].map(chosen => withSign(expression, chosen));
}

function withSign(expression: Expression, chosen: bigint): Expression {
  return replaced(expression, part =>
    part.op === 'plus-minus'
      ? {
          op: 'multiply',
          factors: [
            { op: 'number', value: { numerator: chosen * BigInt(part.sign), denominator: 1n } },
            withSign(part.term, chosen),
          ],
        }
      : undefined,
  );
}
