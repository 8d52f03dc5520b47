// What is written like arithmetic and is none: a time of day, a date, digits in a base above ten, a ratio in words, one
// of several options with what it says.

import { call, type Expression, integer } from './expression';

const WRAPPED = /\\(?:text|mbox|mathrm|textbf|textit|mathbf|operatorname)\s*\{([^{}]*)\}/g;

/** Words in TeX as plain words. */
const plainWords = (text: string): string => text.replaceAll(WRAPPED, ' $1 ').replaceAll(/\s+/g, ' ').trim();

export interface TimeOfDay {
  /** In one spelling. */
  readonly written: string;
  readonly expression: Expression;
  readonly unit: 'am' | 'pm';
}

/** 3:30 p.m., 10 am. */
export function timeOfDay(text: string): TimeOfDay | undefined {
  const [, hour, minute = '0', half] =
    /^(\d{1,2})(?: ?: ?(\d\d))? ?([ap])(?:\. ?m\.?|m\.?)$/i.exec(plainWords(text)) ?? [];
  if (hour === undefined || half === undefined || Number(hour) > 12 || Number(minute) > 59) return undefined;
  const unit = half.toLowerCase() === 'a' ? 'am' : 'pm';
  return {
    written: `${Number(hour)}:${minute.padStart(2, '0')}${unit}`,
    expression: call('clock', integer(BigInt(hour)), integer(BigInt(minute))),
    unit,
  };
}

const MONTH =
  '(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\\.?';
const MONTHS = new RegExp(`\\b${MONTH}`, 'g');
const DATE = new RegExp(
  `^(?:\\p{L}+day,? )?(?:${MONTH} \\d{1,2}(?:st|nd|rd|th)?(?:,? \\d{4})?|\\d{1,2}(?:st|nd|rd|th)?(?: of)? ${MONTH}(?:,? \\d{4})?|${MONTH},? \\d{4})$`,
  'iu',
);

/** The date in one spelling; it is compared as text. */
export function dateIn(text: string): string | undefined {
  const plain = plainWords(text);
  return plain.length <= 60 && DATE.test(plain)
    ? plain
        .toLowerCase()
        .replaceAll(/[,.]/g, '')
        .replaceAll(/(?<=\d)(?:st|nd|rd|th)/g, '')
        .replaceAll(MONTHS, month => month.slice(0, 3))
    : undefined;
}

/** 1A_{16}: digits beyond nine are capitals, so one letter alone is a symbol. */
export function inHighBase(text: string): bigint | undefined {
  const [, digits = '', base = ''] =
    /^([0-9A-Z]{2,64}) ?_ ?\{? ?(1[1-9]|2\d|3[0-6]) ?\}?$/.exec(plainWords(text)) ?? [];
  if (!/[A-Z]/.test(digits)) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= Number(base)) return undefined;
    value = value * BigInt(base) + BigInt(worth);
  }
  return value;
}

/** 1 000 000 and 12 500, but not 100 200, which may be two numbers. */
export const withoutThinSpaces = (text: string): string =>
  /^[-+]?(?:\d{1,2}(?: \d{3})+|\d{3}(?: \d{3}){2,})(?:\.\d+)?$/.test(text) ? text.replaceAll(' ', '') : text;

/** "3 to 4" as 3:4. */
export const ratioOfWords = (text: string): string =>
  /^\d+ to \d+$/.test(plainWords(text)) ? plainWords(text).replace(' to ', ':') : text;

export interface Option {
  readonly letter: string;
  /** What stands beside the letter; may be empty. */
  readonly content: string;
}

const LABELLED = /^(?:\(([A-H])\)|\[([A-H])\]|([A-H])\s*[.):](?!\d))\s*(.*)$/s;
const NAMED = /^(?:option|choice|answer)\s*[:=]?\s*\(?([A-H])\)?\s*[.:]?$/i;

/** `(B) 12`, `B. 12`, `Option B`; undefined for what may be algebra or names several. */
export function optionIn(text: string): Option | undefined {
  const plain = text
    .replace(/^\\(?:text|textbf|mathrm|mathbf|mbox|bf)\s*\{\s*([^{}]*?)\s*\}/, '$1')
    .replace(/^(?:\s|\\ |~|\\quad)+/, '');
  const named = NAMED.exec(plainWords(text))?.[1];
  if (named !== undefined) return { letter: named, content: '' };
  const [, round, square, bare, rest = ''] = LABELLED.exec(plain) ?? [];
  const letter = round ?? square ?? bare;
  if (letter === undefined) return undefined;
  const content = rest.replace(/^(?:\s|\\[ ,;:!]|~|\\q?quad(?![a-z]))+/, '');
  // (A) + 1 and (A)^2 are algebra, A: 5, B: 6 are two names
  if (/^(?:[+*/^=<>_,;!|'(]|-(?!\s*[\d.\\])|\\(?:cdot|times|cup|cap|le|ge|ne|in|text\s*\{\s*(?:and|or)))/.test(content))
    return undefined;
  if (/^(?:and|or)\b/.test(content) || /(?:^|[\s,;(])[A-H]\s*[.):]/.test(content)) return undefined;
  return { letter, content };
}
