// How fast rules are asked: 100,000 completions of about 1,000 characters in groups of eight, on one thread.
//   node build.mjs --bench && node out/bench/reward.js [COMPLETIONS]

import { readCurriculum } from '../src/config/curriculum';
import type { Example } from '../src/protocol/example';
import { Random } from '../src/protocol/random';
import { gradeMath } from '../src/reward/math/grade';
import { compileRules } from '../src/reward/rule-set';
import type { RuleSample } from '../src/reward/sample';

const count = Number(process.argv[2] ?? 100_000);
const GROUP = 8;
const CHARACTERS = 1000;

const SETS: Readonly<Record<string, string>> = {
  'match, length, repetition':
    '{rules: {closed: {kind: match, pattern: "</answer>"}, calm: {kind: match, forbid: ["!"], require: {"<answer>": 1}}, short: {kind: length}, fresh: {kind: repetition, n: 4}}}',
  'number and choice answers': '{rules: {again: {kind: answer}}}',
  'an expression':
    '{rules: {e: {kind: score, expression: "completion.length < 500 ? 1 : part(\'answer\').length / tokens"}}}',
};

async function main(): Promise<void> {
  const groups = completions();
  for (const [name, rewards] of Object.entries(SETS)) {
    const rules = await compileRules(rewardsOf(rewards));
    const started = seconds();
    // as a re-scoring does: a few hundred at a time
    for (let at = 0; at < groups.length; at += 64)
      rules.score(groups.slice(at, at + 64), { step: 0, phase: 'p', seed: 0 });
    report(name, count, seconds() - started);
  }
  const pairs = algebra();
  const started = seconds();
  for (const [gold, said] of pairs) gradeMath(gold, said);
  report('algebra, pairs', pairs.length, seconds() - started);
}

/** Of this process, so that neighbours do not count. */
const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function report(what: string, n: number, s: number): void {
  console.log(
    `${what.padEnd(28)} ${String(n).padStart(7)}  ${s.toFixed(2).padStart(6)} s of processor  ${Math.round(n / s)}/s`,
  );
}

function completions(): readonly (readonly RuleSample[])[] {
  const random = new Random('bench', 'reward');
  const words =
    'first we look at the left side of it and see that five of these are above the line so then what is left are'.split(
      ' ',
    );
  const sample = (example: Example, i: number): RuleSample => {
    let text = '<think>';
    while (text.length < CHARACTERS - 40)
      text += `${random.pick(words)}${random.below(9) === 0 ? ` ${random.below(100)}` : ''} `;
    return {
      completion: `${text}</think><answer>${i % 2 === 0 ? '12' : 'B'}</answer>`,
      example,
      tokens: 200,
      truncated: false,
    };
  };
  return Array.from({ length: Math.ceil(count / GROUP) }, (_, g) => {
    const choice = g % 2 === 0;
    const example: Example = {
      id: String(g),
      source: 'bench',
      question: 'How many?',
      answer: choice ? 'B' : '12',
      answerKind: choice ? 'choice' : 'number',
      images: [],
      ...(choice ? { choices: ['a circle', 'a square', 'both', 'neither'] } : {}),
    };
    return Array.from({ length: GROUP }, (_, i) => sample(example, i));
  });
}

function algebra(): readonly (readonly [string, string])[] {
  const random = new Random('bench', 'algebra');
  return Array.from({ length: Math.ceil(count / 50) }, () => {
    const [a, b, c] = [1 + random.below(9), 1 + random.below(9), 2 + random.below(9)];
    return random.pick([
      [`\\frac{${a}x+${b}}{${c}}`, `\\frac{${a}}{${c}}x+\\frac{${b}}{${c}}`],
      [`(x+${a})(x-${b})`, `x^2+${a - b}x-${a * b}`],
      [`\\sqrt{${a * c * c}}`, `${c}\\sqrt{${a}}`],
      [`\\sin^2 x + ${a}`, `${a + 1} - \\cos^2 x`],
      [`\\boxed{(${a}, ${b}]}`, `${a} < x \\le ${b}`],
    ] as const);
  });
}

function rewardsOf(rewards: string) {
  const curriculum = `{model: {path: m}, data: {d: {path: d}}, phases: [{id: p, view: text, sources: [d], steps: 1}], rewards: ${rewards}}`;
  const result = readCurriculum(curriculum, 'bench.yaml', [], { files: 'unchecked' });
  if (!('loaded' in result)) throw new Error(result.diagnostics.map(({ message }) => message).join('; '));
  return result.loaded.config.rewards;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
