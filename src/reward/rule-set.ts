// The rewards of a config, compiled once, asked group by group. Two passes: rules that look at one sample, then rules
// that look at the group or at what other rules said, in the order of the file.

import type { RewardRule } from '../config/reward-rules';
import type { PhaseSettings } from '../config/schema';
import type { RuleScore, Scored } from '../protocol/rewards';
import { type Graded, gradeAnswer } from './accuracy';
import { combined, weightAt } from './combine';
import { compileFormat } from './format';
import { compileAnswer } from './rule-answer';
import { RuleFault } from './rule-fault';
import { scoreLength, scoreRepetition } from './rule-length';
import { compileMatch } from './rule-match';
import { compileExpression, compileScript, type ScoreGroups, scoreOf } from './rule-score';
import type { Moment, RuleGroup, RuleSample } from './sample';
import { Sandbox } from './sandbox';
import { versionsOf } from './versions';

export type Rewards = PhaseSettings['rewards'];

export interface RuleSet {
  /** Of each rule, what its scores depend on: equal versions score equally. Weights, tests and the step do not count. */
  readonly versions: Readonly<Record<string, string>>;
  /** In the order in which they are asked. */
  readonly names: readonly string[];
  readonly weights: (step: number) => Readonly<Record<string, number>>;
  /** The rule that says what is right, and which answer was read. */
  readonly primary: string;
  readonly score: (
    groups: readonly (readonly RuleSample[])[],
    moment: Moment,
    known?: KnownScores,
  ) => readonly (readonly Scored[])[];
}

/** What was said of these groups before; what is not known is asked. */
export interface KnownScores {
  readonly scores: (rule: string) => readonly (readonly RuleScore[])[] | undefined;
  /** Of the primary rule. */
  readonly answers: readonly (readonly Pick<Scored, 'outcome' | 'answer'>[])[] | undefined;
}

/** A group while its rules are asked. */
interface Asked extends RuleGroup {
  readonly scores: readonly Record<string, RuleScore>[];
}

interface Compiled {
  readonly name: string;
  readonly pass: 1 | 2;
  readonly when: ScoreGroups | undefined;
  readonly ask: (groups: readonly RuleGroup[], moment: Moment) => readonly (readonly RuleScore[])[];
}

export async function compileRules(rewards: Rewards): Promise<RuleSet> {
  const entries = Object.entries(rewards.rules);
  const sandbox = await Sandbox.open();
  const compiled = entries.map(([name, rule]) => compile(name, rule, sandbox));
  const ordered = [...compiled.filter(rule => rule.pass === 1), ...compiled.filter(rule => rule.pass === 2)];
  const format = compileFormat(rewards.format);
  const weights = (step: number) => ({
    format: rewards.format.weight,
    accuracy: rewards.accuracy.weight,
    ...Object.fromEntries(entries.map(([name, rule]) => [name, weightAt(rule.weight, step)])),
  });
  // the answer rule that pays says what is right
  const [first] =
    rewards.accuracy.weight > 0
      ? []
      : entries.flatMap(([name, rule]) => (rule.kind === 'answer' ? [{ name, grade: compileAnswer(rule) }] : []));
  return {
    versions: versionsOf(rewards),
    names: ['format', 'accuracy', ...ordered.map(({ name }) => name)],
    weights,
    primary: first?.name ?? 'accuracy',
    score: (groups, moment, known) => {
      const [formed, accurate] = [known?.scores('format'), known?.scores('accuracy')];
      const gradedOf = (sample: RuleSample) =>
        gradeAnswer(rewards.accuracy, sample.completion, sample.example, sample.truncated);
      const graded =
        accurate !== undefined && (known?.answers !== undefined || first !== undefined)
          ? undefined
          : groups.map(samples => samples.map(gradedOf));
      const state: readonly Asked[] = groups.map((samples, g) => ({
        samples,
        scores: samples.map((s, i) => ({
          format: formed?.[g]?.[i] ?? format(s.completion, s.truncated),
          accuracy: graded === undefined ? accurate![g]![i]! : withoutAnswer(graded[g]![i]!),
        })),
      }));
      for (const rule of ordered) {
        const said = known?.scores(rule.name) ?? asked(rule, state, moment);
        for (const [g, { scores }] of state.entries())
          for (const [i, all] of scores.entries()) all[rule.name] = said[g]![i]!;
      }
      const now = weights(moment.step);
      return state.map(({ samples, scores }, g) => {
        const totals = combined(scores, now, rewards.combine);
        return samples.map((sample, i): Scored => {
          const { outcome, answer } =
            known?.answers?.[g]?.[i] ?? (first === undefined ? graded![g]![i]! : first.grade(sample));
          return { reward: totals[i]!, rules: scores[i]!, outcome, answer };
        });
      });
    },
  };
}

/** Everything that keeps the rules from being compiled. */
export async function ruleFaults({ rules }: Pick<Rewards, 'rules'>): Promise<readonly RuleFault[]> {
  const sandbox = await Sandbox.open();
  return Object.entries(rules).flatMap(([name, rule]) => {
    try {
      compile(name, rule, sandbox);
      return [];
    } catch (error) {
      if (error instanceof RuleFault) return [error];
      throw error;
    }
  });
}

/** What a rule said, without the answer that it read. */
const withoutAnswer = ({ score, outcome, why, spans }: Graded): RuleScore => ({ score, outcome, why, spans });

/** Asks a rule of the samples where its condition holds. */
function asked(rule: Compiled, state: readonly RuleGroup[], moment: Moment): readonly (readonly RuleScore[])[] {
  const said = rule.ask(state, moment);
  if (rule.when === undefined) return said;
  const holds = rule.when(state, moment);
  return said.map((scores, g) =>
    scores.map((score, i): RuleScore => {
      const held = holds[g]![i]!;
      if ('error' in held)
        return { score: 0, why: `Its condition: ${held.error.message}`, spans: [], error: held.error.code };
      return held.value ? score : { score: 0, why: 'Its condition does not hold.', spans: [], off: true };
    }),
  );
}

function compile(name: string, rule: RewardRule, sandbox: Sandbox): Compiled {
  const when = rule.when === undefined ? undefined : compileExpression(rule.when, sandbox, ['rules', name, 'when']);
  const each = (score: (sample: RuleSample) => RuleScore) => (groups: readonly RuleGroup[]) =>
    groups.map(({ samples }) => samples.map(score));
  const pass = when === undefined ? 1 : 2;
  switch (rule.kind) {
    case 'match': {
      const match = compileMatch(rule, sandbox);
      return { name, pass, when, ask: groups => regrouped(groups, match(groups.flatMap(group => group.samples))) };
    }
    case 'answer':
      return { name, pass, when, ask: each(answerOf(compileAnswer(rule))) };
    case 'repetition':
      return { name, pass, when, ask: each(sample => scoreRepetition(rule, sample)) };
    case 'length':
      return {
        name,
        pass: rule.shape === 'cosine' && rule.target === 'right' ? 2 : pass,
        when,
        ask: groups =>
          groups.map(({ samples, scores }) => {
            const right = samples.flatMap(({ tokens }, i) =>
              tokens !== undefined && isRight(scores[i]!) ? [tokens] : [],
            );
            return samples.map(sample => scoreLength(rule, sample, right));
          }),
      };
    case 'score':
      return {
        name,
        pass: 2,
        when,
        ask: valued(compileExpression(rule.expression, sandbox, ['rules', name, 'expression'])),
      };
    case 'script':
      return { name, pass: 2, when, ask: valued(compileScript(rule, sandbox, ['rules', name, 'file'])) };
  }
}

const answerOf = (grade: (sample: RuleSample) => Graded) => (sample: RuleSample) => withoutAnswer(grade(sample));

const valued = (run: ScoreGroups) => (groups: readonly RuleGroup[], moment: Moment) =>
  run(groups, moment).map((results, g) =>
    results.map((result, i) => scoreOf(result, groups[g]!.samples[i]!.completion.length)),
  );

const isRight = (scores: Readonly<Record<string, RuleScore>>) =>
  Object.values(scores).some(({ outcome }) => outcome === 'right');

function regrouped(groups: readonly RuleGroup[], scores: readonly RuleScore[]): readonly (readonly RuleScore[])[] {
  let at = 0;
  return groups.map(({ samples }) => {
    at += samples.length;
    return scores.slice(at - samples.length, at);
  });
}
