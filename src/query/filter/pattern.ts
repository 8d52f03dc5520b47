// Regular expressions as both readers understand them. DuckDB has RE2, which takes linear time and therefore knows no
// lookaround and no back-references; a reader without native parts has JavaScript's. A pattern is refused where the two
// would differ in what they can do, and translated where they differ in what they mean.

import type { Span } from './expression';
import { FilterError } from './problem';

export interface Pattern {
  /** As RE2 takes it, without flags. */
  readonly source: string;
  /** Of i, m and s. */
  readonly flags: string;
}

export function checkPattern(source: string, flags: string, at: Span): Pattern {
  const wrong = (problem: string, remedy?: string) => new FilterError(at, problem, remedy);
  for (const flag of flags) {
    if (!'ims'.includes(flag)) throw wrong(`the flag \`${flag}\` is not known`, 'There are i, m and s.');
  }
  if (/(?<!\\)(?:\\\\)*\(\?<?[=!]/.test(source))
    throw wrong('a regular expression cannot look ahead or behind here', 'Join two conditions with `and` instead.');
  if (/(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)/.test(source))
    throw wrong('a regular expression cannot refer back to a group here', undefined);
  try {
    new RegExp(source, 'u');
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^Invalid regular expression: \/.*\/u?: /s, '') : '';
    throw wrong(`the regular expression cannot be read: ${said.toLowerCase()}`);
  }
  const repeated = [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].flatMap(([, least, most]) => [
    Number(least),
    Number(most),
  ]);
  if (repeated.some(times => times > 1000)) throw wrong('a regular expression repeats 1000 times at most here');
  return { source, flags };
}

/** RE2 takes flags at the beginning; `$` at the very end of the text, as JavaScript has it. */
export const asRe2 = ({ source, flags }: Pattern): string => `${flags === '' ? '' : `(?${flags})`}${source}`;

/** RE2's `\s` is ASCII; its classes and borders of words are in both. */
export function asJavaScript({ source, flags }: Pattern): RegExp {
  let inClass = false;
  const translated = source.replaceAll(/\\.|\[|\]/gs, sign => {
    if (sign === '[') inClass = true;
    else if (sign === ']') inClass = false;
    else if (sign === '\\s') return inClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]';
    else if (sign === '\\S' && !inClass) return '[^\\t\\n\\f\\r ]';
    return sign;
  });
  return new RegExp(translated, `${flags}u`);
}
