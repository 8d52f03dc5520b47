// The address of a trace that is an editor: the run folder, and a last part that names the rollout. The editor that VS
// Code opens for it shows the part where a tab has no other title.

import type { RolloutRef } from '../../protocol/query';

export const traceScheme = 'triphase-trace';

/** As the columns of a rollout count: from 0. */
export const addressName = ({ step, group, sample }: RolloutRef): string => `step ${step}, ${group}-${sample}`;

/** Undefined: no such name. */
export function readAddressName(name: string): RolloutRef | undefined {
  const [, step, group, sample] = /^step (\d{1,9}), (\d{1,9})-(\d{1,9})$/.exec(name) ?? [];
  if (step === undefined) return undefined;
  return { step: Number(step), group: Number(group), sample: Number(sample) };
}
