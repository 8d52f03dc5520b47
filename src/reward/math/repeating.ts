// Decimals that go on: 0.1\overline{6}, 0.\bar{3}, 0.(36), 0.333..., each as the fraction that it is.

/** Digits that are read; a longer one is left as it is written. */
const MOST_DIGITS = 60;

const MARKED = /(\d{0,60})\.(\d{0,60})\\(?:overline|bar|dot)\s*\{\s*(\d{1,60})\s*\}/g;
const BRACKETED = /(?<![\d.])(\d{1,60})\.\((\d{1,60})\)/g;
const DOTTED = /(?<![\d.])(\d{0,60})\.(\d{2,60})\s*(?:\.\.\.|\\(?:l|c)?dots(?![a-zA-Z])|…)/g;

export function withoutRepeating(text: string): string {
  if (!text.includes('.')) return text;
  return text
    .replaceAll(MARKED, (all, whole: string, fixed: string, period: string) => fraction(whole, fixed, period) ?? all)
    .replaceAll(BRACKETED, (all, whole: string, period: string) => fraction(whole, '', period) ?? all)
    .replaceAll(DOTTED, (all, whole: string, digits: string) => {
      const found = periodOf(digits);
      return found === undefined ? all : (fraction(whole, found.fixed, found.period) ?? all);
    });
}

function fraction(whole: string, fixed: string, period: string): string | undefined {
  if (whole.length + fixed.length + period.length > MOST_DIGITS) return undefined;
  // 0.1666... is (16 - 1) / 90
  const top = BigInt(whole + fixed + period) - BigInt(whole + fixed || '0');
  return `{\\frac{${top}}{${'9'.repeat(period.length)}${'0'.repeat(fixed.length)}}}`;
}

/** A period of one or two digits has to be written three times, a longer one twice. */
function periodOf(digits: string): { readonly fixed: string; readonly period: string } | undefined {
  for (let length = 1; length <= digits.length / 2; length++) {
    const period = digits.slice(-length);
    const times = length <= 2 ? 3 : 2;
    if (!digits.endsWith(period.repeat(times))) continue;
    let fixed = digits;
    while (fixed.endsWith(period)) fixed = fixed.slice(0, -length);
    return { fixed, period };
  }
  return undefined;
}
