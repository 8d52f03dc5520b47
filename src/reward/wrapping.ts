// What people and models put around an answer without meaning it: dollar signs, \boxed{}, bold, quotes, a full stop,
// "the answer is".

const PAIRS: readonly (readonly [string, string])[] = [
  ['$$', '$$'],
  ['$', '$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
  ['**', '**'],
  ['*', '*'],
  ['`', '`'],
  ['"', '"'],
  ['“', '”'],
  ["'", "'"],
];

const COMMANDS = /^\\(?:boxed|fbox|text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mbox|operatorname)\s*\{/;
const PREFIX =
  /^(?:(?:so|thus|therefore|hence),?\s+)?(?:the\s+)?(?:final\s+|correct\s+|right\s+)?(?:answer|option|choice)\s*(?:is\b|:|=)\s*:?\s*/i;

/** The answer without its wrapping. */
export function unwrapped(text: string): string {
  let inner = text.replaceAll(/[\u00a0\u2000-\u200a\u202f]/g, ' ').trim();
  for (;;) {
    const less = once(inner);
    if (less === inner) return inner;
    inner = less;
  }
}

function once(text: string): string {
  for (const [open, close] of PAIRS) {
    if (text.length < open.length + close.length || !text.startsWith(open) || !text.endsWith(close)) continue;
    const inner = text.slice(open.length, -close.length);
    if (!inner.includes(open) && !inner.includes(close)) return inner.trim();
  }
  const command = COMMANDS.exec(text)?.[0];
  const open = command?.length ?? (text.startsWith('{') ? 1 : 0);
  if (open > 0 && closingBrace(text, open) === text.length - 1) return text.slice(open, -1).trim();
  const prefix = PREFIX.exec(text)?.[0] ?? '';
  if (prefix !== '' && prefix.length < text.length) return text.slice(prefix.length);
  return text.replace(/[.,;\s]+$/, '');
}

/** What stands in each `\boxed{}`. */
export function boxed(text: string): readonly string[] {
  const found: string[] = [];
  for (const { index, 0: command } of text.matchAll(/\\(?:boxed|fbox)\s*\{/g)) {
    const start = index + command.length;
    const end = closingBrace(text, start);
    if (end !== undefined) found.push(text.slice(start, end));
  }
  return found;
}

/** Where the brace closes that was open before `from`. */
function closingBrace(text: string, from: number): number | undefined {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return undefined;
}
