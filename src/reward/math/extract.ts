// Finds the one final answer in a text: the last thing that says it is one. A box, "the final answer is …" or "the answer
// is …" says so, the last of them counts; without any the last piece of mathematics, then the last number.

import { respelled } from './spelling';

export type Place = 'whole' | 'box' | 'statement' | 'mathematics' | 'number';

export interface Extracted {
  readonly text: string;
  readonly place: Place;
  /** In characters of the text that was searched. */
  readonly start: number;
  readonly end: number;
}

/** Only the end of a long text is searched for what does not say that it is the answer. */
const SEARCHED = 4000;
/** Words between two boxes that make one answer of them. */
const BETWEEN =
  /^(?:[\s$.,;:+&]|\\[()[\],;:! ]|\\q?quad|\\text\s*\{[^{}]{0,20}\}|\b(?:and|or)\b|[A-Za-z]\w{0,2}(?:_\{?\w\}?)?\s*=|\b\w{1,12}\b(?=[\s\w]*\b(?:and|or)\b))*$/;

/** Where the answer may stand, best first; which of them counts does not depend on the gold answer. */
export function answerPlaces(text: string): readonly Extracted[] {
  const box = lastBoxes(text);
  const statement = lastStatement(text);
  const said = box !== undefined && (statement === undefined || statement.start < box.end) ? [box] : [statement, box];
  const found = said.filter(place => place !== undefined);
  if (found.length > 0) return found;
  // the last number of a formula that cannot be read is not its value
  const words = text.replaceAll(/\\(?:begin|end)\s*\{[^{}]*\}?|\\[a-zA-Z]+|\$[^$]*\$/g, ' ');
  const speaks = !/[\\{}^_!]/.test(text) || /\p{L}{2,}/u.test(words);
  return [lastMathematics(text), speaks ? lastNumber(text) : undefined].filter(place => place !== undefined);
}

interface Box {
  readonly from: number;
  readonly start: number;
  readonly end: number;
  readonly to: number;
}

/** Every closed box that is not inside another, in one pass. */
function boxes(text: string): readonly Box[] {
  const found: Box[] = [];
  const open: { readonly from: number; readonly start: number; readonly box: boolean }[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') {
      const command = /^\\(?:boxed|fbox|framebox)\s?\{/.exec(text.slice(i, i + 12))?.[0];
      if (command === undefined) i++;
      else {
        open.push({ from: i, start: i + command.length, box: true });
        i += command.length - 1;
      }
    } else if (character === '{') open.push({ from: i, start: i + 1, box: false });
    else if (character === '}') {
      const last = open.pop();
      if (last?.box !== true) continue;
      // boxes inside come before the one around them
      while ((found.at(-1)?.from ?? -1) > last.from) found.pop();
      found.push({ from: last.from, start: last.start, end: i, to: i + 1 });
    }
  }
  return found;
}

/** The last box, and those before it that words like "and" join to it. */
function lastBoxes(text: string): Extracted | undefined {
  const all = boxes(text);
  const last = all.at(-1);
  if (last === undefined) return undefined;
  const group = [last];
  for (let i = all.length - 2; i >= 0; i--) {
    const [box, next] = [all[i]!, group[0]!];
    const between = text.slice(box.to, next.from);
    if (between.length > 60 || !BETWEEN.test(between)) break;
    group.unshift(box);
  }
  const parts = [...new Set(group.map(box => text.slice(box.start, box.end).trim()))];
  // the unit may stand behind the box: \boxed{20} percent
  const unit =
    group.length === 1
      ? (/^\s*(?:\\?%|percent\b|\\?\^\\circ|degrees?\b)/.exec(text.slice(last.to, last.to + 20))?.[0] ?? '')
      : '';
  return { text: `${parts.join(', ')}${unit}`, place: 'box', start: group[0]!.start, end: last.end };
}

const STATEMENT = /(?:final\s+answer\s*(?:is\b\s*:?|:)|\banswer\s*(?:is\b\s*:?|:|=)|^[ \t]*answer\s+(?=[$\\]))/gim;

function lastStatement(text: string): Extracted | undefined {
  let found: { readonly index: number; readonly length: number } | undefined;
  for (const match of text.matchAll(STATEMENT)) found = { index: match.index, length: match[0].length };
  if (found === undefined) return undefined;
  const from = found.index + found.length;
  const sentence = sentenceOf(text.slice(from, from + 600));
  // "Final Answer: The volume of ABCD is 120."
  const is = /^[^$\\=]{0,200}?[A-Za-z)$]\s+(?:is|are|equals)\s*:?\s+(?=\S)/.exec(sentence);
  const inner = is !== null && /[A-Za-z]{3}/.test(is[0]) ? sentence.slice(is[0].length) : lastIs(sentence);
  const offset = from + sentence.length - inner.length;
  const placed = (answer: string, at: number): Extracted | undefined => {
    const trimmed = answer.trim();
    return trimmed === ''
      ? undefined
      : { text: trimmed, place: 'statement', start: offset + at, end: offset + at + answer.length };
  };
  const mathematics = firstMathematics(inner);
  if (mathematics !== undefined && /^[\s*:]*$/.test(inner.slice(0, mathematics.start)))
    return placed(inner.slice(0, afterMathematics(inner, mathematics.end)), 0);
  if (mathematics !== undefined && inner.split(/\s+/).length > 6) return placed(mathematics.text, mathematics.start);
  const number = inner.split(/\s+/).length > 4 ? lastNumber(inner) : undefined;
  return number === undefined ? placed(inner, 0) : placed(number.text, number.start);
}

/** "… is 19" in a sentence that has mathematics before it. */
function lastIs(sentence: string): string {
  const at = Math.max(sentence.lastIndexOf(' is '), sentence.lastIndexOf(' are '));
  return at < 0 ? sentence : sentence.slice(at + (sentence.startsWith(' is ', at) ? 4 : 5));
}

/** Up to the full stop that ends it, outside of mathematics and numbers. */
function sentenceOf(text: string): string {
  let dollars = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') {
      i++;
      continue;
    }
    // a dollar sign without another is money
    if (character === '$' && (dollars || text.slice(i + 1, i + 400).includes('$'))) dollars = !dollars;
    if (dollars) continue;
    if (character === '\n' && text.slice(0, i).trim() !== '') return text.slice(0, i);
    if (character === '.' && /^\.(?:\s|$|<)/.test(text.slice(i, i + 2))) return text.slice(0, i);
    if (character === '<' && text.startsWith('<|', i)) return text.slice(0, i);
  }
  return text;
}

const DELIMITED = /\$\$([\s\S]+?)\$\$|\$([^$]+)\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\]/g;

function firstMathematics(text: string): { text: string; start: number; end: number } | undefined {
  const [match] = text.matchAll(DELIMITED);
  if (match === undefined) return undefined;
  const inner = match.slice(1).find(group => group !== undefined) ?? '';
  return { text: inner, start: match.index, end: match.index + match[0].length };
}

/** A unit or per cent sign right behind. */
const afterMathematics = (text: string, end: number) =>
  end + (/^\s*(?:\\?%|percent\b|degrees?\b)/.exec(text.slice(end, end + 20))?.[0].length ?? 0);

/** The end of a long text, from a space on: no number is cut in two. */
function searchedFrom(text: string): number {
  const from = text.length - SEARCHED;
  if (from <= 0) return 0;
  const space = text.slice(from).search(/\s/);
  return space < 0 ? text.length : from + space;
}

function lastMathematics(text: string): Extracted | undefined {
  const from = searchedFrom(text);
  let found: Extracted | undefined;
  for (const match of text.slice(from).matchAll(DELIMITED)) {
    const inner = match.slice(1).find(group => group !== undefined) ?? '';
    if (inner.trim() === '') continue;
    const start = from + match.index;
    found = { text: inner, place: 'mathematics', start, end: start + match[0].length };
  }
  return found;
}

const NUMBER =
  /(?<![\\{}^_\w.,/])[-−]?[$€£¥₹]?\s?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:,\d+)?)(?:\.\d+)?(?:\s?[/]\s?\d+)?(?:\s?(?:%|percent\b|[€£¥₹]|(?:[cmk]?m|kg|g)(?:\^?[23]|[²³])?(?!\w)))?(?![\d}]|[eE][-+]?\d)|(?<![\w.])[-−]?\.\d+/g;

function lastNumber(text: string): Extracted | undefined {
  const from = searchedFrom(text);
  let found: Extracted | undefined;
  for (const match of text.slice(from).matchAll(NUMBER)) {
    const start = from + match.index;
    // 5m² in a sentence are metres, in a formula they are five times m squared
    const answer = match[0].trim().replace(/(?<=\d)(?=[a-z]+(?:\^?[23]|[²³])?$)/, ' ');
    found = { text: answer, place: 'number', start, end: start + match[0].length };
  }
  return found;
}

/** One spelling of backslashes, as the boxes are looked for. */
export const searchable = (text: string): string =>
  text.includes('\\\\boxed') || text.includes('\\\\(') ? respelled(text) : text;
