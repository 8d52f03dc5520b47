// Splits an answer, in TeX or plain text, into tokens.

export type Token =
  | { readonly kind: 'number'; readonly text: string; readonly spaced: boolean }
  /** A letter, or a word that is none of the language's own. */
  | { readonly kind: 'name'; readonly text: string; readonly spaced: boolean }
  /** Without its backslash; functions and constants written plainly are commands as well. */
  | { readonly kind: 'command'; readonly text: string; readonly spaced: boolean }
  /** What stands in \text{} and its like. */
  | { readonly kind: 'words'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'mark'; readonly text: string; readonly spaced: boolean };

/** Longest answer that is taken apart; longer ones are compared as text. */
const MOST_TOKENS = 600;

export class Unreadable extends Error {}

/** Words that plain text writes for a command. */
export const PLAIN_COMMANDS = new Set(
  'pi sqrt cbrt sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh asin acos atan log ln exp lg abs floor ceil min max gcd lcm det deg infty'.split(
    ' ',
  ),
);
const RENAMED: Readonly<Record<string, string>> = {
  infinity: 'infty',
  inf: 'infty',
  asin: 'arcsin',
  acos: 'arccos',
  atan: 'arctan',
  union: 'cup',
  oo: 'infty',
};

const TEXTS =
  /\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname\*?)\s*\{([^{}]*)\}/y;
const ENVIRONMENT = /\\(begin|end)\s*\{\s*([a-zA-Z]+\*?)\s*\}/y;
const COMMAND = /\\([a-zA-Z]+)/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][-+]?\d+(?![\da-zA-Z]))?|\d+\.(?!\d)|\.\d+/y;
const GROUPED = /[1-9]\d{0,2}(?:,\d{3})+(?![\d,]|\.\d+,)(?:\.\d+)?/y;
const DECIMAL_COMMA = /(?:0,\d{3,}|[1-9]\d{3,},\d{1,2})(?![\d,.])/y;
const LETTERS = /[\p{L}]+/uy;
const MARKS = ['<=', '>=', '!=', '==', '**', '\\{', '\\}', '\\|', '\\\\', '\\%'];

export function tokenize(text: string, decimalComma: boolean): readonly Token[] {
  const tokens: Token[] = [];
  // a comma in brackets parts coordinates: (1,234) is a point
  let brackets = 0;
  let spaced = false;
  const match = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (let at = 0; at < text.length; ) {
    if (tokens.length >= MOST_TOKENS) throw new Unreadable();
    const character = text[at]!;
    if (/\s/.test(character)) {
      spaced = true;
      at++;
      continue;
    }
    const push = (kind: Token['kind'], value: string, length: number) => {
      tokens.push({ kind, text: value, spaced });
      spaced = false;
      at += length;
    };
    if (/[\d.]/.test(character)) {
      const grouped = brackets === 0 ? match(GROUPED, at) : null;
      const comma = brackets === 0 && decimalComma && grouped === null ? match(DECIMAL_COMMA, at) : null;
      const found = grouped ?? comma ?? match(NUMBER, at);
      if (found === null) throw new Unreadable();
      const digits = comma === null ? found[0].replaceAll(',', '') : found[0].replace(',', '.');
      push('number', digits, found[0].length);
      continue;
    }
    if (character === '\\') {
      const words = match(TEXTS, at);
      if (words !== null) {
        push('words', words[1]!.trim(), words[0].length);
        continue;
      }
      const mark = MARKS.find(m => text.startsWith(m, at));
      if (mark !== undefined) {
        if (mark === '\\{') brackets++;
        if (mark === '\\}') brackets--;
        push('mark', mark, mark.length);
        continue;
      }
      const environment = match(ENVIRONMENT, at);
      if (environment !== null) {
        const [whole, command = '', name = ''] = environment;
        push('command', command, 0);
        push('mark', '{', 0);
        push('name', name, 0);
        push('mark', '}', whole.length);
        continue;
      }
      const command = match(COMMAND, at);
      if (command === null) throw new Unreadable();
      push('command', command[1]!, command[0].length);
      continue;
    }
    const letters = match(LETTERS, at)?.[0];
    if (letters !== undefined) {
      const word = RENAMED[letters.toLowerCase()] ?? letters;
      // sqrt(2), sinx, 2pi
      const front =
        PLAIN_COMMANDS.has(word) || word === 'cup' ? word : /^(?:sin|cos|tan|ln|log|pi)(?=\p{L}$)/u.exec(letters)?.[0];
      if (front !== undefined) push('command', front, front === word ? letters.length : front.length);
      else if (letters === 'and' || letters === 'or') push('words', letters, letters.length);
      else if (letters.length <= 3 || letters === letters.toUpperCase()) {
        const first = String.fromCodePoint(letters.codePointAt(0)!);
        push('name', first, first.length);
      } else if (tokens.length === 0 && letters.length === text.trim().length) push('name', letters, letters.length);
      // a word among others is language, not a product of letters
      else throw new Unreadable();
      continue;
    }
    const mark = MARKS.find(m => text.startsWith(m, at)) ?? character;
    if ('(['.includes(mark)) brackets++;
    if (')]'.includes(mark)) brackets--;
    push('mark', mark, mark.length);
  }
  return tokens;
}
