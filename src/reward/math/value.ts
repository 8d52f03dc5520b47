// Typed answers: what an answer is once it has been read.

import type { Expression, Relation } from './expression';

interface Read {
  /** As written, in one spelling and without spaces. */
  readonly written: string;
  /** What stands before an equals sign: x in x = 3. */
  readonly name?: Expression;
}

export type MathValue =
  | (Read & { readonly kind: 'expression'; readonly expression: Expression; readonly unit?: string })
  /** Members without brackets; a set has its own. */
  | (Read & { readonly kind: 'list' | 'set'; readonly items: readonly MathValue[] })
  /** A point or an interval: which of them, only the other answer may say. */
  | (Read & {
      readonly kind: 'tuple';
      readonly open: '(' | '[';
      readonly close: ')' | ']';
      readonly items: readonly MathValue[];
    })
  | (Read & { readonly kind: 'matrix'; readonly rows: readonly (readonly Expression[])[] })
  | (Read & {
      readonly kind: 'relation';
      readonly sides: readonly Expression[];
      readonly relations: readonly Relation[];
    })
  | (Read & {
      readonly kind: 'join';
      readonly by: 'union' | 'intersection' | 'without';
      readonly parts: readonly MathValue[];
    })
  /** One of the options of a question, with what stands beside its letter. */
  | (Read & { readonly kind: 'option'; readonly letter: string; readonly content: MathValue | undefined })
  | (Read & { readonly kind: 'text'; readonly text: string });
