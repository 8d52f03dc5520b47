// What became of the rows of a source: examples, and what was left out and why.

import type { Place } from './errors';

/** A number of rows that were left out, and why. */
export interface LeftOut {
  readonly reason: string;
  readonly count: number;
  /** Where the first of them stands. */
  readonly first?: Place;
}

/**
 * Examples of one source that ask the same of the same images as others. A source that several phases name does not
 * repeat itself.
 */
export interface DuplicateReport {
  /** That repeat an earlier example of the same source. */
  readonly within: number;
  /** That repeat an example of a source that was named before. */
  readonly across: readonly { readonly source: string; readonly count: number }[];
  /** That are also in data that is evaluated. */
  readonly evaluation: readonly { readonly source: string; readonly count: number }[];
  /** That show an image of data that is evaluated, whatever they ask of it. */
  readonly evaluationImages: number;
  /** Of all these, those that are not trained on. */
  readonly removed: { readonly within: number; readonly across: number; readonly evaluation: number };
}

export interface SourceReport {
  readonly source: string;
  /** Examples that can be used. */
  readonly examples: number;
  /** Rows that could not be read or graded. */
  readonly dropped: readonly LeftOut[];
  /** Rows that stayed, without their caption or another field; absent in logs of earlier versions. */
  readonly takenAway?: readonly LeftOut[];
  /** Examples that a phase's view cannot show, phase by phase. */
  readonly refused: readonly (LeftOut & { readonly phase: string })[];
  /** Of sources that are trained on; absent in logs of earlier versions. */
  readonly duplicates?: DuplicateReport;
}
