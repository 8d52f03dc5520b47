// A filter whose names are columns and whose types fit: what both readers of stored rollouts carry out.

import { nearest } from '../../config/nearest';
import type { Column } from '../../protocol/query';
import type { Comparison, Expression, Literal } from './expression';
import { checkPattern, type Pattern } from './pattern';
import { FilterError } from './problem';
import { parseFilter } from './syntax';

/**
 * Holds of a row or does not: there is no third. A comparison with what was not recorded does not hold, and `not` of it
 * does, so that a filter and its opposite together are all rows.
 */
export type Condition =
  | { readonly kind: 'always' }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly part: Condition }
  | Leaf;

export type Leaf =
  | { readonly kind: 'compare'; readonly op: Comparison; readonly left: Term; readonly right: Term }
  | { readonly kind: 'in'; readonly term: Term; readonly values: readonly Literal[] }
  | { readonly kind: 'matches'; readonly term: Term; readonly pattern: Pattern }
  /** `fold`: small and capital letters are one. */
  | { readonly kind: 'contains'; readonly term: Term; readonly text: string; readonly fold?: true }
  | { readonly kind: 'recorded'; readonly term: Term }
  /** Of a boolean column. */
  | { readonly kind: 'true'; readonly term: Term };

export type Term =
  | { readonly kind: 'column'; readonly name: string; readonly type: Column['type'] }
  | { readonly kind: 'constant'; readonly value: Literal }
  /** Of numbers; null where a part is null or the result is not finite. */
  | { readonly kind: 'arithmetic'; readonly op: '+' | '-' | '*' | '/'; readonly left: Term; readonly right: Term };

/** The leaves of a condition that look at the long texts. */
export function textLeaves(condition: Condition): readonly Leaf[] {
  switch (condition.kind) {
    case 'always':
      return [];
    case 'and':
    case 'or':
      return [...textLeaves(condition.left), ...textLeaves(condition.right)];
    case 'not':
      return textLeaves(condition.part);
    default:
      return looksAtTexts(condition) ? [condition] : [];
  }
}

/** Columns that lie apart, because they are long. */
export const textColumns = ['prompt', 'completion', 'question', 'caption'] as const;

export function checkFilter(text: string, columns: readonly Column[]): Condition {
  return text.trim() === '' ? { kind: 'always' } : condition(parseFilter(text), columns);
}

/** The column of this name, or an error that names the nearest. */
export function columnNamed(name: string, columns: readonly Column[], at = { start: 0, end: name.length }): Column {
  const text = (textColumns as readonly string[]).includes(name);
  const column = columns.find(known => known.name === name) ?? (text ? { name, type: 'text' } : undefined);
  if (column !== undefined) return column;
  const known = [...columns.map(other => other.name), ...textColumns];
  const near = nearest(name, known);
  const remedy = near === undefined ? `There are ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
  throw new FilterError(at, `there is no column \`${name}\``, remedy);
}

function condition(expression: Expression, columns: readonly Column[]): Condition {
  const { kind } = expression;
  switch (kind) {
    case 'and':
    case 'or':
      return { kind, left: condition(expression.left, columns), right: condition(expression.right, columns) };
    case 'not':
      return { kind, part: condition(expression.part, columns) };
    case 'recorded':
      return { kind, term: term(expression.part, columns).term };
    case 'compare':
      return compare(expression, columns);
    case 'in': {
      const { term: left, type } = term(expression.part, columns);
      for (const value of expression.values)
        if (typeOf(value.value) !== type) throw mismatch(value, typeOf(value.value), type);
      return oneTable(expression, { kind, term: left, values: expression.values.map(({ value }) => value) });
    }
    case 'matches': {
      const left = termOf('text', expression.part, columns);
      return { kind, term: left, pattern: checkPattern(expression.source, expression.flags, expression) };
    }
    case 'contains':
      return { kind, term: termOf('text', expression.part, columns), text: expression.text };
    default: {
      const { term: left, type } = term(expression, columns);
      if (type === 'boolean') return { kind: 'true', term: left };
      throw new FilterError(expression, `this is a ${type}, not a condition`, 'Compare it: `reward > 0.5`.');
    }
  }
}

function compare(expression: Extract<Expression, { kind: 'compare' }>, columns: readonly Column[]): Condition {
  const [left, right] = [term(expression.left, columns), term(expression.right, columns)];
  if (left.type !== right.type) throw mismatch(expression.right, right.type, left.type);
  const { op } = expression;
  if (left.type === 'boolean' && op !== '==' && op !== '!=')
    throw new FilterError(expression, 'true and false have no order', 'Compare them with `==` or `!=`.');
  return oneTable(expression, { kind: 'compare', op, left: left.term, right: right.term });
}

interface Typed {
  readonly term: Term;
  readonly type: Column['type'];
}

function term(expression: Expression, columns: readonly Column[]): Typed {
  switch (expression.kind) {
    case 'literal':
      return { term: { kind: 'constant', value: expression.value }, type: typeOf(expression.value) };
    case 'name': {
      const { name, type } = columnNamed(expression.name, columns, expression);
      return { term: { kind: 'column', name, type }, type };
    }
    case 'negative': {
      const zero: Term = { kind: 'constant', value: 0 };
      const right = termOf('number', expression.part, columns);
      return { term: { kind: 'arithmetic', op: '-', left: zero, right }, type: 'number' };
    }
    case 'arithmetic': {
      const left = termOf('number', expression.left, columns);
      const right = termOf('number', expression.right, columns);
      return { term: { kind: 'arithmetic', op: expression.op, left, right }, type: 'number' };
    }
    default:
      throw new FilterError(expression, 'this is a condition, where a column or a value should stand', undefined);
  }
}

function termOf(wanted: Column['type'], expression: Expression, columns: readonly Column[]): Term {
  const { term: found, type } = term(expression, columns);
  if (type === wanted) return found;
  throw mismatch(expression, type, wanted);
}

const typeOf = (value: Literal): Column['type'] =>
  typeof value === 'number' ? 'number' : typeof value === 'string' ? 'text' : 'boolean';

const mismatch = (at: { start: number; end: number }, found: Column['type'], wanted: Column['type']) =>
  new FilterError(at, `this is a ${found}, where a ${wanted} should stand`, hintFor(wanted));

const hintFor = (wanted: Column['type']): string =>
  wanted === 'text'
    ? 'Texts stand in quotes.'
    : wanted === 'number'
      ? 'Numbers stand without quotes.'
      : 'Write true or false.';

/** Long texts lie apart from the other columns: one comparison looks at one of the two. */
function oneTable(expression: Expression, leaf: Leaf): Leaf {
  const names = namesIn(leaf);
  const texts = names.filter(isText);
  if (texts.length > 0 && texts.length < names.length)
    throw new FilterError(expression, `${texts[0]} cannot be compared with another column`, 'Compare it with a text.');
  return leaf;
}

const isText = (name: string): boolean => (textColumns as readonly string[]).includes(name);

/** Whether it looks at the long texts. */
export const looksAtTexts = (leaf: Leaf): boolean => namesIn(leaf).some(isText);

function namesIn(leaf: Leaf): readonly string[] {
  const inTerm = (t: Term): readonly string[] =>
    t.kind === 'column' ? [t.name] : t.kind === 'constant' ? [] : [...inTerm(t.left), ...inTerm(t.right)];
  return leaf.kind === 'compare' ? [...inTerm(leaf.left), ...inTerm(leaf.right)] : inTerm(leaf.term);
}
