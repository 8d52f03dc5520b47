// One way of writing for what TeX, Unicode and plain text write in many.

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
  '⅓': ' 1/3 ',
  '⅔': ' 2/3 ',
  '⅛': ' 1/8 ',
  '⁄': '/',
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

/** A backslash doubled by one escaping too many; where rows of a matrix may begin with a command it says nothing. */
const DOUBLED =
  /\\\\(?=(?:[dtc]?frac|left|right|sqrt|le|ge|leq|geq|ne|neq|lt|gt|boxed|text|pi|infty|cup|in|pm|cdot|times|begin|end|quad|theta|circ|mathrm|log|ln|sin|cos|tan)(?![a-z])|[%$])/g;

export function respelled(text: string): string {
  const plain = text
    .replaceAll(/[\u00a0\u2000-\u200a\u202f]/g, ' ')
    .replaceAll(/[\u200b\ufeff]/g, '')
    .replaceAll(/[０-９]/g, digit => String.fromCharCode(digit.charCodeAt(0) - 0xfee0))
    .replaceAll(UNICODE_PATTERN, character => UNICODE[character] ?? character);
  const single = /\\begin|\\\\\\/.test(plain) ? plain : plain.replaceAll(DOUBLED, '\\');
  return single
    .replaceAll('{,}', ',')
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
