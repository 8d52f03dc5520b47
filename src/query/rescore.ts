// What other rules would have paid for stored rollouts: file after file, so that any number of them fits in memory.
// Answers first on a sample of the files, marked partial; can be broken off between files.

import type { Scored } from '../protocol/rewards';
import type { RuleSet } from '../reward/rule-set';
import { type AdvantageOptions, groupAdvantages } from '../train/advantages';
import { grouped } from './grouped';
import type { StoredGroup, StoredRollouts } from './stored-rollouts';

export interface RuleReport {
  readonly rule: string;
  readonly weight: number;
  readonly n: number;
  readonly mean: number;
  /** Share of samples that it pays something for. */
  readonly fires: number;
  /** Samples that it could not be asked of, by error. */
  readonly errors: Readonly<Record<string, number>>;
  /** Mean change against what was stored under its name; undefined where nothing was. */
  readonly change: number | undefined;
}

export interface ChangedSample {
  readonly file: string;
  readonly step: number;
  readonly group: number;
  readonly sample: number;
  readonly before: number;
  readonly after: number;
  readonly completion: string;
}

export interface RescoreReport {
  /** Whether files are still to come. */
  readonly partial: boolean;
  readonly files: number;
  readonly ofFiles: number;
  readonly samples: number;
  readonly groups: number;
  readonly reward: { readonly before: number | undefined; readonly after: number };
  readonly right: number;
  readonly ungradable: number;
  readonly rules: readonly RuleReport[];
  /** Groups whose rewards are all equal teach nothing. */
  readonly groupsWithoutSpread: { readonly before: number | undefined; readonly after: number };
  /** Groups whose samples would have been in another order. */
  readonly groupsReordered: number;
  /** Samples whose advantage would have had the other sign. */
  readonly advantagesFlipped: number;
  readonly mostChanged: readonly ChangedSample[];
}

export interface RescoreOptions {
  readonly seed: number;
  /** Only their signs are compared, group by group. */
  readonly advantage: AdvantageOptions;
  readonly signal?: AbortSignal;
  /** Called with what is known so far, first after a sample of the files. */
  readonly progress?: (report: RescoreReport) => void;
}

const FIRST_FILES = 4;
const MOST_CHANGED = 10;

export async function rescore(
  stored: StoredRollouts,
  rulesFor: (phase: string) => RuleSet,
  { seed, advantage, signal, progress }: RescoreOptions,
): Promise<RescoreReport> {
  const tally = new Tally(stored.files.length);
  const first = sampled(stored.files, FIRST_FILES);
  const order = [...first, ...stored.files.filter(file => !first.includes(file))];
  for (const [i, file] of order.entries()) {
    if (signal?.aborted === true) break;
    const groups = await stored.read(file);
    tally.files++;
    for (const [phase, ofPhase] of grouped(groups, group => group.phase)) {
      const rules = rulesFor(phase);
      for (const [step, ofStep] of grouped(ofPhase, group => group.step)) {
        const scored = rules.score(
          ofStep.map(({ samples }) => samples),
          { step, phase, seed },
        );
        tally.weigh(rules.weights(step));
        ofStep.forEach((group, g) => tally.add(group, groups.indexOf(group), scored[g]!, advantage));
      }
    }
    if (i + 1 === first.length || (i + 1) % 20 === 0) progress?.(tally.report());
    // other work of the thread comes in between
    await new Promise(resolve => setImmediate(resolve));
  }
  return tally.report();
}

/** Evenly over the run. */
const sampled = (files: readonly string[], count: number): readonly string[] => [
  ...new Set(
    Array.from(
      { length: Math.min(count, files.length) },
      (_, i) => files[Math.floor(((i + 0.5) * files.length) / Math.min(count, files.length))]!,
    ),
  ),
];

interface RuleTally {
  n: number;
  sum: number;
  fires: number;
  compared: number;
  change: number;
  readonly errors: Record<string, number>;
}

class Tally {
  files = 0;
  private samples = 0;
  private groups = 0;
  private right = 0;
  private ungradable = 0;
  private readonly rules = new Map<string, RuleTally>();
  private weights: Readonly<Record<string, number>> = {};
  private after = 0;
  private readonly before = { n: 0, sum: 0 };
  private readonly flat = { n: 0, before: 0, after: 0 };
  private reordered = 0;
  private flipped = 0;
  private changed: ChangedSample[] = [];

  constructor(private readonly ofFiles: number) {}

  weigh(weights: Readonly<Record<string, number>>): void {
    this.weights = { ...this.weights, ...weights };
  }

  add(group: StoredGroup, index: number, scored: readonly Scored[], advantage: RescoreOptions['advantage']): void {
    this.groups++;
    const after = scored.map(({ reward }) => reward);
    const before = group.rewards;
    for (const [i, one] of scored.entries()) this.addSample(group, index, i, one, before[i]);
    if (isFlat(after)) this.flat.after++;
    if (!before.every(reward => reward !== undefined)) return;
    this.flat.n++;
    if (isFlat(before)) this.flat.before++;
    if (before.some((x, i) => before.some((y, j) => Math.sign(x - y) !== Math.sign(after[i]! - after[j]!))))
      this.reordered++;
    const [was, is] = [groupAdvantages(before, advantage), groupAdvantages(after, advantage)];
    this.flipped += was.filter((value, i) => value * is[i]! < 0).length;
  }

  private addSample(
    group: StoredGroup,
    index: number,
    i: number,
    { reward, rules, outcome }: Scored,
    before: number | undefined,
  ): void {
    this.samples++;
    this.after += reward;
    if (outcome === 'right') this.right++;
    if (outcome === 'ungradable') this.ungradable++;
    for (const [name, { score, error, off }] of Object.entries(rules)) {
      const tally = this.rules.get(name) ?? { n: 0, sum: 0, fires: 0, compared: 0, change: 0, errors: {} };
      this.rules.set(name, tally);
      if (error !== undefined) tally.errors[error] = (tally.errors[error] ?? 0) + 1;
      if (error !== undefined || off !== undefined) continue;
      tally.n++;
      tally.sum += score;
      if (score !== 0) tally.fires++;
      const stored = group.scores[i]?.[name];
      if (typeof stored !== 'number') continue;
      tally.compared++;
      tally.change += score - stored;
    }
    if (before === undefined) return;
    this.before.n++;
    this.before.sum += before;
    if (before === reward) return;
    const { file, step, samples } = group;
    const completion = samples[i]!.completion.slice(0, 300);
    this.changed.push({ file, step, group: index, sample: i, before, after: reward, completion });
    if (this.changed.length > 4 * MOST_CHANGED) this.changed = most(this.changed);
  }

  report(): RescoreReport {
    const { samples, groups } = this;
    return {
      partial: this.files < this.ofFiles,
      files: this.files,
      ofFiles: this.ofFiles,
      samples,
      groups,
      reward: {
        before: this.before.n === 0 ? undefined : this.before.sum / this.before.n,
        after: this.after / Math.max(1, samples),
      },
      right: this.right,
      ungradable: this.ungradable,
      rules: [...this.rules].map(([rule, { n, sum, fires, compared, change, errors }]) => ({
        rule,
        weight: this.weights[rule] ?? 0,
        n,
        mean: sum / Math.max(1, n),
        fires: fires / Math.max(1, n),
        errors,
        change: compared === 0 ? undefined : change / compared,
      })),
      groupsWithoutSpread: { before: this.flat.n === 0 ? undefined : this.flat.before, after: this.flat.after },
      groupsReordered: this.reordered,
      advantagesFlipped: this.flipped,
      mostChanged: most(this.changed),
    };
  }
}

const isFlat = (rewards: readonly (number | undefined)[]) => rewards.every(reward => reward === rewards[0]);

const most = (changed: readonly ChangedSample[]) =>
  changed.toSorted((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before)).slice(0, MOST_CHANGED);
