// A filter as a tree, with the place of every part in its text, and what may stand at a place.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/';
export type Literal = number | string | boolean;

export type Expression = Span &
  (
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'literal'; readonly value: Literal }
    | { readonly kind: 'not' | 'negative'; readonly part: Expression }
    | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'compare'; readonly op: Comparison; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'arithmetic'; readonly op: Arithmetic; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'in'; readonly part: Expression; readonly values: readonly (Span & { value: Literal })[] }
    | { readonly kind: 'matches'; readonly part: Expression; readonly source: string; readonly flags: string }
    | { readonly kind: 'contains'; readonly part: Expression; readonly text: string }
    | { readonly kind: 'recorded'; readonly part: Expression }
  );

/** What may stand at a place: for messages, and for what to offer there. */
export type Expected =
  | { readonly kind: 'operand' }
  /** `after` is complete as it is, or as the left side of a comparison. */
  | { readonly kind: 'connective'; readonly after: Expression }
  | { readonly kind: 'value' | 'text'; readonly of: Expression }
  | { readonly kind: 'in-or-contains' }
  | { readonly kind: 'null-or-recorded' }
  | { readonly kind: 'pattern' }
  | { readonly kind: 'symbol'; readonly symbol: string; readonly after?: Expression };
