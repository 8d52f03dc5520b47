// Numbers in English words: "twenty-one", "one hundred and five", "two million", "two thirds".

const SMALL = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
    .split(' ')
    .map((word, value) => [word, value]),
);
const TENS = new Map(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, i) => [word, 20 + 10 * i]),
);
const LARGE = new Map([
  ['thousand', 1_000],
  ['million', 1_000_000],
  ['billion', 1_000_000_000],
]);
const MOST_WORDS = 16;

export function numberInWords(text: string): number | undefined {
  const words = text
    .toLowerCase()
    .split(/[\s-]+/)
    .filter(word => word !== '');
  const minus = words[0] === 'minus' || words[0] === 'negative';
  const rest = minus ? words.slice(1) : words;
  if (rest.length === 0 || rest.length > MOST_WORDS) return undefined;
  let total = 0;
  let part: number | undefined;
  let last: 'small' | 'tens' | 'hundred' | 'large' | undefined;
  for (const word of rest) {
    const small = SMALL.get(word);
    const tens = TENS.get(word);
    const large = LARGE.get(word);
    if (word === 'and') {
      if (last !== 'hundred' && last !== 'large') return undefined;
    } else if (small !== undefined) {
      if (last === 'small' || (last === 'tens' && (small === 0 || small > 9))) return undefined;
      part = (part ?? 0) + small;
      last = 'small';
    } else if (tens !== undefined) {
      if (last === 'small' || last === 'tens') return undefined;
      part = (part ?? 0) + tens;
      last = 'tens';
    } else if (word === 'hundred') {
      if (part === undefined || last === 'hundred') return undefined;
      part *= 100;
      last = 'hundred';
    } else if (large !== undefined) {
      if (part === undefined) return undefined;
      total += part * large;
      part = undefined;
      last = 'large';
    } else return undefined;
  }
  const value = total + (part ?? 0);
  return minus ? -value : value;
}

const PARTS = new Map<string, number>([
  ['half', 2],
  ['halves', 2],
  ['quarter', 4],
  ...'third fourth fifth sixth seventh eighth ninth tenth'.split(' ').map((word, i) => [word, i + 3] as const),
]);

/** "half", "a third", "three-quarters". */
export function fractionInWords(text: string): { readonly top: number; readonly low: number } | undefined {
  const [, count = 'one', part = ''] = /^(?:([a-z]+)[- ])?([a-z]+)$/.exec(text.toLowerCase()) ?? [];
  const low = PARTS.get(part) ?? PARTS.get(part.replace(/s$/, ''));
  const top = count === 'a' || count === 'an' ? 1 : SMALL.get(count);
  // "third" alone is a place, not a share
  if (low === undefined || top === undefined || (part === text.toLowerCase() && part !== 'half')) return undefined;
  return { top, low };
}
