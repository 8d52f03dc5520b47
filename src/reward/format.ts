// The format rule: is the completion, and nothing but the completion, of the asked form?

import type { PhaseSettings } from '../config/schema';
import type { RuleScore } from '../protocol/rewards';
import { withoutEndOfTurn } from './elements';

export type FormatSettings = PhaseSettings['rewards']['format'];
type Verdict = Omit<RuleScore, 'score'> & { readonly passes: boolean };

export function compileFormat({
  tags,
  pattern,
}: FormatSettings): (completion: string, truncated: boolean) => RuleScore {
  const whole = pattern === '' ? undefined : new RegExp(`^(?:${pattern})$`, 'su');
  return (completion, truncated) => {
    const { passes, why, spans } = truncated
      ? fails('The completion was cut off at its token limit.', completion.length)
      : whole === undefined
        ? elements(withoutEndOfTurn(completion), tags)
        : matches(withoutEndOfTurn(completion), whole);
    return { score: passes ? 1 : 0, why, spans };
  };
}

function fails(why: string, start: number, end = start): Verdict {
  return { passes: false, why, spans: start === end ? [] : [{ start, end }] };
}

function matches(text: string, whole: RegExp): Verdict {
  return whole.test(text)
    ? { passes: true, why: 'The completion matches the pattern.', spans: [{ start: 0, end: text.length }] }
    : fails('The completion does not match the pattern.', 0);
}

/** Exactly these elements in this order, each once and none empty, with only white space between. */
function elements(text: string, tags: readonly string[]): Verdict {
  for (const tag of tags) {
    for (const mark of [`<${tag}>`, `</${tag}>`]) {
      const first = text.indexOf(mark);
      if (first < 0) return fails(`There is no ${mark}.`, 0);
      const second = text.indexOf(mark, first + mark.length);
      if (second >= 0) return fails(`${mark} stands more than once.`, second, second + mark.length);
    }
  }
  const spans: { start: number; end: number }[] = [];
  let at = 0;
  for (const [i, tag] of tags.entries()) {
    const open = text.indexOf(`<${tag}>`, at);
    const before = i === 0 ? 'the beginning' : `</${tags[i - 1]}>`;
    if (open < 0) return fails(`<${tag}> does not come after ${before}.`, 0);
    if (text.slice(at, open).trim() !== '') return fails(`There is text between ${before} and <${tag}>.`, at, open);
    const close = text.indexOf(`</${tag}>`, open);
    if (close < 0) return fails(`</${tag}> comes before <${tag}>.`, 0);
    if (text.slice(open + tag.length + 2, close).trim() === '')
      return fails(`<${tag}> is empty.`, open, close + tag.length + 3);
    at = close + tag.length + 3;
    spans.push({ start: open, end: at });
  }
  if (text.slice(at).trim() !== '') return fails(`There is text after </${tags.at(-1)}>.`, at, text.length);
  return {
    passes: true,
    why: `The completion is ${tags.map(tag => `<${tag}>`).join(' then ')}, and nothing else.`,
    spans,
  };
}
