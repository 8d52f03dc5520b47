// Where sentences of a line end, as Unicode Standard Annex 29 has it. `Intl.Segmenter` knows all scripts, but takes longer
// to be made than a page has for all of a completion: what is plain ASCII, as nearly all lines are, is cut here by the
// same rules, which are named below.

/** One behind the last character of each sentence; what goes on at the end of the line ends there. */
export function sentenceEnds(line: string): readonly number[] {
  return plain.test(line) ? plainEnds(line) : segmentedEnds(line);
}

/** ASCII whose only line end is its last character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII but the carriage return
const plain = /^[\x00-\x09\x0b\x0c\x0e-\x7f]*\n?$/;

let segmenter: Intl.Segmenter | undefined;

function segmentedEnds(line: string): readonly number[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' });
  return Array.from(segmenter.segment(line), ({ index, segment }) => index + segment.length);
}

/** Full stop or question mark, what may close behind it, and space. */
const terminated = /[.!?][)\](}{["']*[ \t\v\f]*/g;

function plainEnds(line: string): readonly number[] {
  const ends: number[] = [];
  for (const found of line.matchAll(terminated)) {
    let end = found.index + found[0].length;
    if (end >= line.length) break;
    if (found[0].startsWith('.')) {
      // SB6 and SB7: 2.5, and U.S
      if (found[0].length === 1 && /[0-9]/.test(line[end] as string)) continue;
      if (found[0].length === 1 && /^[A-Za-z]\.[A-Z]/.test(line.slice(Math.max(0, found.index - 1), end + 1))) continue;
      // SB8: the next letter is a small one
      if (/^[^A-Za-z.!?\n]*[a-z]/.test(line.slice(end))) continue;
    }
    // SB8a
    if (/[,\-:;.!?]/.test(line[end] as string)) continue;
    if (line[end] === '\n') end++;
    ends.push(end);
  }
  if (ends.at(-1) !== line.length && line !== '') ends.push(line.length);
  return ends;
}
