// Pairs of answers that take algebra, half of them equal, with what is true of them.

import { Random } from '../../src/protocol/random';

export interface Pair {
  readonly gold: string;
  readonly pred: string;
  readonly equal: boolean;
}

export function algebraPairs(count: number): readonly Pair[] {
  const random = new Random('bench', 'algebra');
  return Array.from({ length: count }, (_, i) => {
    const [a, b, c] = [1 + random.below(9), 1 + random.below(9), 2 + random.below(9)];
    const equal = i % 2 === 0;
    // the smallest change that makes it another value
    const off = equal ? 0 : 1;
    const [gold, pred] = random.pick([
      [`\\frac{${a}x+${b}}{${c}}`, `\\frac{${a}}{${c}}x+\\frac{${b + off}}{${c}}`],
      [`(x+${a})(x-${b})`, `x^2${signed(a - b)}x${signed(-a * b - off)}`],
      [`\\sqrt{${a * c * c}}`, `${c + off}\\sqrt{${a}}`],
      [`\\sin^2 x + ${a}`, `${a + 1 + off} - \\cos^2 x`],
      [`\\frac{x^2-${a * a}}{x-${a}}`, `x+${a + off}`],
      [`\\frac{1}{\\sqrt{${c}}+1}`, `\\frac{\\sqrt{${c}}-1}{${c - 1 + off}}`],
      [`\\log_{${c}} ${c ** 3} + ${b}`, `${3 + b + off}`],
      [`(${a} + ${b}i)^2`, `${a * a - b * b + off} + ${2 * a * b}i`],
    ] as const);
    return { gold, pred, equal };
  });
}

const signed = (n: number) => (n < 0 ? `-${-n}` : `+${n}`);
