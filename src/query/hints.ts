// What may be wrong with rewards, from what they paid: hints with their figures, not verdicts.

import type { RescoreReport } from './rescore';

const FEW = 20;

export function hintsOf({
  rules,
  samples,
  groups,
  groupsWithoutSpread: flat,
  right,
  ungradable,
}: RescoreReport): readonly string[] {
  if (samples < FEW) return [];
  const share = (part: number, whole: number) => `${part} of ${whole} (${((100 * part) / whole).toFixed(0)}%)`;
  const hints: string[] = [];
  for (const { rule, fires, n, mean, errors, weight } of rules) {
    const broken = Object.values(errors).reduce((a, b) => a + b, 0);
    if (broken > 0)
      hints.push(`${rule} could not be asked of ${share(broken, samples)}: ${Object.keys(errors).join(', ')}.`);
    if (n < FEW || weight === 0) continue;
    if (fires === 0)
      hints.push(`${rule} never fires in ${n} completions: perhaps it asks for what the model cannot do yet.`);
    else if (fires === 1 && mean > 0.999)
      hints.push(`${rule} pays all of ${n} completions in full: it may teach nothing any more.`);
  }
  const [up, down] = [rules.filter(r => r.weight * r.mean > 0.01), rules.filter(r => r.weight * r.mean < -0.01)];
  for (const a of up)
    for (const b of down)
      if (Math.abs(a.weight * a.mean + b.weight * b.mean) < 0.1 * Math.abs(a.weight * a.mean))
        hints.push(
          `${a.rule} and ${b.rule} nearly cancel: ${(a.weight * a.mean).toFixed(2)} and ${(b.weight * b.mean).toFixed(2)} on average.`,
        );
  if (flat.after > groups / 2) {
    const why =
      right > 0.9 * samples ? 'most answers are right' : right === 0 ? 'no answer is right' : 'their rewards are equal';
    hints.push(`${share(flat.after, groups)} groups have no spread and teach nothing: ${why}.`);
  }
  const graded = rules.some(({ rule, weight }) => rule === 'accuracy' && weight !== 0);
  if (graded && ungradable > samples / 2)
    hints.push(
      `${share(ungradable, samples)} completions have no answer that can be graded: look at the place and kind of the answer.`,
    );
  const [format, accuracy] = ['format', 'accuracy'].map(name => rules.find(({ rule }) => rule === name));
  if ((format?.change ?? 0) > 0.05 && (accuracy?.change ?? 0) < -0.05)
    hints.push('format goes up while accuracy goes down.');
  return hints;
}
