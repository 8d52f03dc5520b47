// A border is a place where something comes in that nobody here wrote. Each gives its inputs to the code that reads them in
// a run; the input is read, or refused by an error that says what is wrong. Every other end of it is a find.

import type { Random } from '../../src/protocol/random';

export interface Border {
  readonly name: string;
  /** Of all inputs, relative to the shares of other borders. */
  readonly share: number;
  /** Makes what the inputs are variants of, in a folder of its own. */
  readonly open: (folder: string) => Promise<OpenBorder>;
}

export interface OpenBorder {
  /** Gives input number i to its reader. Throws a TriphaseError where the reader says no. */
  readonly take: (random: Random, i: number) => unknown;
  readonly close?: () => Promise<void>;
}
