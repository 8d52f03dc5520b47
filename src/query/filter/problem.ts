// What is wrong with a filter, and where: offsets in UTF-16 units, so that an input field can mark it.

import { TriphaseError } from '../../protocol/errors';
import type { Expected, Span } from './expression';

export class FilterError extends TriphaseError {
  readonly start: number;
  readonly end: number;

  constructor(
    { start, end }: Span,
    readonly problem: string,
    remedy: string | undefined,
    readonly expected?: Expected,
  ) {
    super('usage', `The filter cannot be followed at character ${start + 1}: ${problem}.`, remedy);
    this.start = start;
    this.end = end;
  }
}
