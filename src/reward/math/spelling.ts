// One way of writing for what TeX, Unicode and plain text write in many.

import { withoutRepeating } from './repeating';

const UNICODE: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '‐': '-',
  '‑': '-',
  '×': '\\times ',
  '·': '\\cdot ',
  '⋅': '\\cdot ',
  '÷': '\\div ',
  '≤': '\\le ',
  '⩽': '\\le ',
  '≥': '\\ge ',
  '⩾': '\\ge ',
  '≠': '\\ne ',
  '≈': '\\approx ',
  '∈': '\\in ',
  '∪': '\\cup ',
  '∩': '\\cap ',
  '∖': '\\setminus ',
  '∅': '\\emptyset ',
  '∞': '\\infty ',
  π: '\\pi ',
  '±': '\\pm ',
  '∓': '\\mp ',
  '√': '\\sqrt ',
  '°': '^\\circ ',
  '²': '^2 ',
  '³': '^3 ',
  '½': ' 1/2 ',
  '¼': ' 1/4 ',
  '¾': ' 3/4 ',
  '⅐': ' 1/7 ',
  '⅑': ' 1/9 ',
  '⅒': ' 1/10 ',
  '⅓': ' 1/3 ',
  '⅔': ' 2/3 ',
  '⅕': ' 1/5 ',
  '⅖': ' 2/5 ',
  '⅗': ' 3/5 ',
  '⅘': ' 4/5 ',
  '⅙': ' 1/6 ',
  '⅚': ' 5/6 ',
  '⅛': ' 1/8 ',
  '⅜': ' 3/8 ',
  '⅝': ' 5/8 ',
  '⅞': ' 7/8 ',
  '⁄': '/',
  '∛': '\\sqrt[3]',
  '∜': '\\sqrt[4]',
  '△': '\\triangle ',
  '∠': '\\angle ',
  '∥': '\\parallel ',
  '⊥': '\\perp ',
  '∼': '\\sim ',
  '≅': '\\cong ',
  ℤ: '\\mathbb{Z}',
  ℕ: '\\mathbb{N}',
  ℚ: '\\mathbb{Q}',
  ℝ: '\\mathbb{R}',
  θ: '\\theta ',
  α: '\\alpha ',
  β: '\\beta ',
  γ: '\\gamma ',
  λ: '\\lambda ',
  μ: '\\mu ',
  φ: '\\phi ',
  ω: '\\omega ',
};

const UNICODE_PATTERN = new RegExp(`[${Object.keys(UNICODE).join('')}]`, 'g');

/** Units of measurement, longest first, and words that count things and say no more than the number. */
const CHINESE: Readonly<Record<string, string>> = {
  平方千米: 'km^2',
  平方厘米: 'cm^2',
  平方分米: 'dm^2',
  立方厘米: 'cm^3',
  立方分米: 'dm^3',
  平方米: 'm^2',
  立方米: 'm^3',
  厘米: 'cm',
  毫米: 'mm',
  分米: 'dm',
  千米: 'km',
  公里: 'km',
  千克: 'kg',
  公斤: 'kg',
  毫升: 'ml',
  小时: 'hours',
  分钟: 'minutes',
  米: 'meters',
  克: 'grams',
  升: 'liters',
  时: 'hours',
  分: 'minutes',
  秒: 'seconds',
  天: 'days',
  年: 'years',
  度: 'degrees',
  元: 'yen',
};
const COUNTING = '个人本只支岁次张条棵辆块件名种位头朵把双页组台间层';
const CHINESE_WORD = `(?:${Object.keys(CHINESE).join('|')}|[${COUNTING}])`;
const CHINESE_UNIT = new RegExp(`(?<=[\\d}).,!;: ])\\s*(${CHINESE_WORD}(?:/${CHINESE_WORD})?)(?=[\\s.$]*$)`, 'g');

const chineseUnit = (unit: string): string =>
  unit
    .split('/')
    .map(word => CHINESE[word] ?? '')
    .join('/')
    .replace(/^\/$/, '');

/** A backslash doubled by one escaping too many; where rows of a matrix may begin with a command it says nothing. */
const DOUBLED =
  /\\\\(?=(?:[dtc]?frac|left|right|sqrt|le|ge|leq|geq|ne|neq|lt|gt|boxed|text|pi|infty|cup|in|pm|cdot|times|begin|end|quad|theta|circ|mathrm|log|ln|sin|cos|tan)(?![a-z])|[%$])/g;

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ';
const SUBSCRIPT = '₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢ';
const IN_LINE = '0123456789+-ni';
/** More than the 2 and 3 that units have. */
const SUPERSCRIPTS = /[⁰¹²³⁴-⁹⁺⁻ⁿⁱ]{2,}|[⁰¹⁴-⁹ⁿⁱ]/g;
const SUBSCRIPTS = /[₀-₉₊₋ₙᵢ]+/g;

const inLine = (text: string, row: string): string =>
  [...text].map(character => IN_LINE[[...row].indexOf(character)] ?? character).join('');

export function respelled(text: string): string {
  const plain = text
    .replaceAll(/[\u00a0\u2000-\u200a\u202f]/g, ' ')
    .replaceAll(/[\u200b\ufeff]/g, '')
    // full width: the same characters, made as wide as Chinese ones
    .replaceAll(/[！-～]/g, wide => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('、', ',')
    .replaceAll('。', '.')
    .replaceAll(/\\(?:text|mbox)\s*\{\s*([\u4e00-\u9fff]{1,12})\s*\}/g, '$1')
    .replaceAll(/(?<![\u4e00-\u9fff])或者?(?![\u4e00-\u9fff])/g, ' or ')
    .replaceAll(/(?<![\u4e00-\u9fff])[和且](?![\u4e00-\u9fff])/g, ' and ')
    .replaceAll(CHINESE_UNIT, (_, unit: string) => ` ${chineseUnit(unit)} `)
    .replaceAll(SUPERSCRIPTS, raised => ` ^{${inLine(raised, SUPERSCRIPT)}} `.trimStart())
    .replaceAll(SUBSCRIPTS, lowered => `_{${inLine(lowered, SUBSCRIPT)}}`)
    .replaceAll(UNICODE_PATTERN, character => UNICODE[character] ?? character);
  const single = /\\begin|\\\\\\/.test(plain) ? plain : plain.replaceAll(DOUBLED, '\\');
  return withoutRepeating(single)
    .replaceAll('{,}', ',')
    .replaceAll(/\\(?:text|mbox)\s*\{\s*:\s*\}|\\colon(?![a-z])/g, ':')
    .replaceAll(/\\(?:text|mbox)\s*\{\s*[.,]?\s*\}/g, ' ')
    .replaceAll(/\\mathbb\s*(?:\{\s*R\s*\}|R)\s*-\s*(?=\\\{)/g, '\\mathbb{R}\\setminus ')
    .replaceAll(
      /\\pmod\s*(\d+)|\(\s*(?:\\(?:text|mathrm)\s*\{\s*)?\\?mod(?:\s*\})?\s*(\d+)\s*\)/g,
      (_, a: string, b: string) => `\\pmod{${a ?? b}}`,
    )
    .replaceAll(/\\mathbb\s*([A-Z])(?![a-z])/g, '\\mathbb{$1}')
    .replaceAll(/\\lbrack(?![a-z])/g, '[')
    .replaceAll(/\\rbrack(?![a-z])/g, ']')
    .replaceAll(/(^|\\c[au]p\s*)\{([^{}\\]{0,200})\}(?=\s*(?:\\c[au]p|$))/g, '$1\\{$2\\}')
    .replaceAll(
      /(?<=\d)\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ)\s*(?:\\(?:text|mathrm)\s*\{\s*)?([CF])(?:\s*\})?(?=\s*\$?\s*$)/g,
      (_, scale: string) => (scale === 'C' ? ' \\text{celsius}' : ' \\text{fahrenheit}'),
    )
    .replaceAll(/(?<=\d)\s*(?:\\Omega|Ω)(?=\s*\$?\s*$)/g, ' \\text{ohms}')
    .replaceAll(/\\degrees?(?![a-z])/g, '^\\circ ')
    .replaceAll(/(?<=\d)\s*\^\s*(?:\{\s*o\s*\}|o(?![a-z]))/g, '^\\circ ')
    .replaceAll(/(?<=\d) ?[xX] ?(?=10 ?\^)/g, ' \\times ')
    .replaceAll(/(?:\{|^)([^{}]{1,60})\\choose(?![a-z])([^{}]{1,60})(?:\}|$)/g, '\\binom{$1}{$2}')
    .replaceAll(/(\d), ?\\! ?(?=\d{3}(?!\d))/g, '$1,')
    .replaceAll(/(\d)\\[,;:!] ?(?=\d{3}(?!\d))/g, '$1')
    .replaceAll(/\\(?:left|right|bigl?|bigr|Bigl?|Bigr|biggl?|biggr|Biggl?|Biggr)(?![a-zA-Z])\s?\.?/g, match =>
      match.endsWith('.') ? ' ' : '',
    )
    .replaceAll(
      /\\(?:displaystyle|textstyle|limits|nolimits|rm|bf|it|hfill|hspace\{[^{}]*\}|phantom\{[^{}]*\})(?![a-zA-Z])/g,
      ' ',
    )
    .replaceAll(/(?<!\\)\\(?:!|,|;|:|>)/g, ' ')
    .replaceAll(/\\q?quad(?![ \\])/g, ' ')
    .replaceAll(/\\(?:qquad|quad) ?/g, ' ')
    .replaceAll(/(?<!\\)\\ |~/g, ' ')
    .replaceAll(/\\([%$#&])/g, '$1');
}
