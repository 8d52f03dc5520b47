// Group-relative advantages.

export interface AdvantageOptions {
  /** Divide by the standard deviation of the group's rewards, or only subtract their mean. */
  readonly scale: 'group' | 'none';
  /** Added to the standard deviation. */
  readonly eps: number;
}

/**
 * (r - mean) / (std + eps) over one group (GRPO, arXiv 2402.03300, section 4.1.2). The standard deviation is Bessel's,
 * as in TRL, verl, EasyR1 and OpenRLHF. A group whose rewards are all equal has advantages of exactly 0.
 */
export function groupAdvantages(rewards: readonly number[], { scale, eps }: AdvantageOptions): number[] {
  const n = rewards.length;
  if (rewards.every(r => r === rewards[0])) return rewards.map(() => 0);
  const mean = rewards.reduce((s, r) => s + r, 0) / n;
  if (scale === 'none') return rewards.map(r => r - mean);
  const std = Math.sqrt(rewards.reduce((s, r) => s + (r - mean) ** 2, 0) / (n - 1));
  return rewards.map(r => (r - mean) / (std + eps));
}
