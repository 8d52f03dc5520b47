// Group-relative advantages: what is subtracted from a reward, and what the difference is divided by.

export interface AdvantageOptions {
  /** What is subtracted: the mean of the group, the mean of its other completions (RLOO, arXiv 2402.14740), or nothing. */
  readonly baseline?: 'mean' | 'leave_one_out' | 'none';
  /** Divide by the standard deviation of the group's rewards, of all rewards of the batch, or not at all. */
  readonly scale: 'group' | 'batch' | 'none';
  /** Standard deviation over n - 1 (Bessel), or over n. */
  readonly deviation?: 'sample' | 'population';
  /** Added to the standard deviation. */
  readonly eps: number;
  /** Afterwards shifted and scaled to mean 0 and variance 1 over all tokens of the batch (REINFORCE++, arXiv 2501.03262). */
  readonly whiten?: 'none' | 'sample' | 'population';
  /** The advantage of a completion without a group: 0, or its reward, as verl has it. */
  readonly alone?: 'zero' | 'reward';
}

/**
 * Advantages of one group; `scale: 'batch'` needs the whole batch and is not for this function. With the defaults they
 * are (r - mean) / (std + eps) (GRPO, arXiv 2402.03300, section 4.1.2), the deviation Bessel's, as in TRL, verl, EasyR1
 * and OpenRLHF. A group whose rewards are all equal has advantages of exactly 0.
 */
export function groupAdvantages(
  rewards: readonly number[],
  { baseline = 'mean', scale, eps, deviation = 'sample', alone = 'zero' }: AdvantageOptions,
): number[] {
  const n = rewards.length;
  if (n === 1 && alone === 'reward') return [...rewards];
  if (baseline !== 'none' && equal(rewards)) return rewards.map(() => 0);
  const total = rewards.reduce((s, r) => s + r, 0);
  const mean = total / n;
  const less = rewards.map(r =>
    baseline === 'none' ? r : baseline === 'mean' ? r - mean : r - (total - r) / Math.max(1, n - 1),
  );
  if (scale !== 'group') return less;
  const std = standardDeviation(rewards, mean, deviation);
  return less.map(a => a / (std + eps));
}

/**
 * Advantages of a batch, by group.
 *
 * @param lengths tokens of the completions, which whitening counts by; without them every completion counts as one
 */
export function batchAdvantages(
  rewards: readonly (readonly number[])[],
  options: AdvantageOptions,
  lengths?: readonly (readonly number[])[],
): number[][] {
  const { scale, eps, deviation = 'sample', whiten = 'none' } = options;
  const groups = rewards.map(group => groupAdvantages(group, options));
  const scaled = scale === 'batch' ? overBatch(groups, rewards.flat(), deviation, eps) : groups;
  return whiten === 'none' ? scaled : whitened(scaled, whiten, lengths);
}

/** The spread is that of the rewards themselves, not of the centred ones (TRL's scale_rewards="batch"). */
function overBatch(
  groups: readonly (readonly number[])[],
  rewards: readonly number[],
  deviation: 'sample' | 'population',
  eps: number,
): number[][] {
  const mean = rewards.reduce((s, r) => s + r, 0) / rewards.length;
  const std = equal(rewards) ? 0 : standardDeviation(rewards, mean, deviation);
  return groups.map(group => group.map(a => (a === 0 ? 0 : a / (std + eps))));
}

/** The least variance that is divided by; verl adds it, OpenRLHF takes the greater, and no batch tells the two apart. */
const LEAST_VARIANCE = 1e-8;

function whitened(
  groups: readonly (readonly number[])[],
  deviation: 'sample' | 'population',
  lengths: readonly (readonly number[])[] | undefined,
): number[][] {
  const count = (i: number, j: number): number => lengths?.[i]?.[j] ?? 1;
  const sum = (f: (a: number) => number): number =>
    groups.reduce((s, group, i) => s + group.reduce((t, a, j) => t + f(a) * count(i, j), 0), 0);
  const n = sum(() => 1);
  const mean = sum(a => a) / n;
  const variance = sum(a => (a - mean) ** 2) / (deviation === 'sample' ? Math.max(1, n - 1) : n);
  return groups.map(group => group.map(a => (a - mean) / Math.sqrt(variance + LEAST_VARIANCE)));
}

/** Compared as they are: their mean rounds, and a deviation of pure rounding would be blown up by a small eps. */
const equal = (xs: readonly number[]): boolean => xs.every(x => x === xs[0]);

function standardDeviation(xs: readonly number[], mean: number, deviation: 'sample' | 'population'): number {
  const squares = xs.reduce((s, x) => s + (x - mean) ** 2, 0);
  return Math.sqrt(squares / (deviation === 'sample' ? xs.length - 1 : xs.length));
}
