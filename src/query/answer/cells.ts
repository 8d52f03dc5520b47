// Cells of a row as what they are said to be, and conditions on them.

import type { RolloutDetail } from '../../protocol/query';
import type { Condition } from '../filter/check';

export const equal = (name: string, value: string | number): Condition => ({
  kind: 'compare',
  op: '==',
  left: { kind: 'column', name, type: typeof value === 'string' ? 'text' : 'number' },
  right: { kind: 'constant', value },
});

export const textOf = (cell: unknown): string | null => (typeof cell === 'string' ? cell : null);
export const numberOf = (cell: unknown): number | null => (typeof cell === 'number' ? cell : null);
export const outcomeOf = (cell: unknown): RolloutDetail['outcome'] =>
  cell === 'right' || cell === 'wrong' || cell === 'ungradable' ? cell : null;
