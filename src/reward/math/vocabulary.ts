// Words of TeX that answers are written in, by what they are.

import type { Relation } from './expression';

export const RELATIONS: Readonly<Record<string, Relation>> = {
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

export const GREEK = new Set(
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar'.split(
    ' ',
  ),
);
export const FUNCTIONS = new Set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln exp log lg gcd lcm min max deg det floor ceil abs sqrt cbrt'.split(
    ' ',
  ),
);
/** Letters that are functions where a bracket follows. */
export const FUNCTION_LETTERS = new Set(['f', 'g', 'h', 'F', 'G']);
export const SPACES = new Set(['quad', 'qquad', 'thinspace', 'nobreak']);
export const DECORATIONS = new Set([
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

/** Commands that stand between factors or end them. */
export const KNOWN_MARKS = new Set([
  ...Object.keys(RELATIONS),
  ...'cdot times ast bullet div pm mp cup cap setminus backslash mid lor vee land rfloor rceil rvert rbrace rangle rbrack lbrace langle lbrack begin end hline to rightarrow Rightarrow implies iff dots ldots cdots dotsm dotsc circ prime emptyset varnothing mod pmod bmod sim perp parallel cong colon'.split(
    ' ',
  ),
]);
