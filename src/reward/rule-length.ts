// length and repetition: how long a completion is in tokens, and how much of it was already said.

import type { RewardRule } from '../config/reward-rules';
import type { RuleScore } from '../protocol/rewards';
import { partOf } from './rule-part';
import type { RuleSample } from './sample';

type Length = RewardRule & { readonly kind: 'length' };
type Repetition = RewardRule & { readonly kind: 'repetition' };

/** @param right tokens of the right answers of the group */
export function scoreLength(rule: Length, { tokens, completion }: RuleSample, right: readonly number[]): RuleScore {
  const spans = [{ start: 0, end: completion.length }];
  if (tokens === undefined)
    return { score: 0, why: 'The length in tokens was not recorded.', spans: [], error: 'not-recorded' };
  if (rule.shape === 'budget') {
    const most = Math.max(rule.most ?? 2 * rule.budget, rule.budget + 1);
    const score = Math.min(1, Math.max(0, (most - tokens) / (most - rule.budget)));
    const why =
      score === 1
        ? `${tokens} tokens are within the budget of ${rule.budget}.`
        : `${tokens} tokens are over the budget of ${rule.budget}; ${most} pay nothing.`;
    return { score, why, spans };
  }
  const mean = right.length === 0 ? rule.budget : right.reduce((a, b) => a + b, 0) / right.length;
  const target = rule.target === 'right' ? mean : rule.target;
  const distance = Math.min(1, Math.abs(tokens - target) / (rule.width ?? Math.max(1, target)));
  const of =
    rule.target !== 'right'
      ? ''
      : right.length === 0
        ? ' (the budget: no answer is right)'
        : ' (the mean of the right answers)';
  return {
    // VL-Cogito's length reward has this form (arXiv 2507.22607)
    score: (1 + Math.cos(Math.PI * distance)) / 2,
    why: `${tokens} tokens, and the target is ${Number(target.toFixed(1))}${of}.`,
    spans,
  };
}

/** The share of n-grams that are the first of their kind; TRL's repetition penalty is this less 1. */
export function scoreRepetition({ part: tag, n }: Repetition, { completion }: RuleSample): RuleScore {
  const part = partOf(completion, tag);
  if (part === undefined) return { score: 0, why: `There is no whole <${tag}>.`, spans: [] };
  const words: { readonly text: string; readonly start: number; readonly end: number }[] = [];
  for (const match of part.text.matchAll(/\S+/g))
    words.push({
      text: match[0].toLowerCase(),
      start: part.start + match.index,
      end: part.start + match.index + match[0].length,
    });
  const total = words.length - n + 1;
  if (total <= 0) return { score: 1, why: `It has fewer than ${n} words, so nothing is repeated.`, spans: [] };
  const seen = new Set<string>();
  const spans: { start: number; end: number }[] = [];
  let repeated = 0;
  for (let i = 0; i < total; i++) {
    const gram = words
      .slice(i, i + n)
      .map(word => word.text)
      .join(' ');
    if (!seen.has(gram)) {
      seen.add(gram);
      continue;
    }
    repeated++;
    const [start, end] = [words[i]!.start, words[i + n - 1]!.end];
    const last = spans.at(-1);
    if (last !== undefined && start <= last.end) last.end = end;
    else if (spans.length < 50) spans.push({ start, end });
  }
  const why =
    repeated === 0
      ? `No ${n} words in a row come twice.`
      : `${repeated} of ${total} runs of ${n} words were said before.`;
  return { score: 1 - repeated / total, why, spans };
}
