// A condition asked of one row in JavaScript: the same as sql.ts, for the reader without native parts.

import type { Cell } from '../../protocol/query';
import type { Condition, Leaf, Term } from './check';
import type { Comparison } from './expression';
import { asJavaScript } from './pattern';

/** The cell of a column in the row that is asked of. */
export type CellOf = (column: string) => Cell;

export type Holds = (cell: CellOf) => boolean;

/** `textHits` answers for a leaf that looks at the long texts, which are not among the cells. */
export function conditionHolds(condition: Condition, textHits: (leaf: Leaf) => Holds | undefined): Holds {
  switch (condition.kind) {
    case 'always':
      return () => true;
    case 'and':
    case 'or': {
      const left = conditionHolds(condition.left, textHits);
      const right = conditionHolds(condition.right, textHits);
      return condition.kind === 'and' ? cell => left(cell) && right(cell) : cell => left(cell) || right(cell);
    }
    case 'not': {
      const part = conditionHolds(condition.part, textHits);
      return cell => !part(cell);
    }
    default:
      return textHits(condition) ?? leafHolds(condition);
  }
}

export function leafHolds(leaf: Leaf): Holds {
  switch (leaf.kind) {
    case 'compare': {
      const [left, right, holds] = [valueIn(leaf.left), valueIn(leaf.right), compared[leaf.op]];
      return cell => {
        const [a, b] = [left(cell), right(cell)];
        return a !== null && b !== null && holds(compareCells(a, b));
      };
    }
    case 'in': {
      const [value, values] = [valueIn(leaf.term), new Set<Cell>(leaf.values)];
      return cell => {
        const found = value(cell);
        return found !== null && values.has(found);
      };
    }
    case 'matches': {
      const [value, pattern] = [valueIn(leaf.term), asJavaScript(leaf.pattern)];
      return cell => {
        const text = value(cell);
        return typeof text === 'string' && pattern.test(text);
      };
    }
    case 'contains': {
      const value = valueIn(leaf.term);
      const wanted = leaf.fold === true ? leaf.text.toLowerCase() : leaf.text;
      return cell => {
        const text = value(cell);
        return typeof text === 'string' && (leaf.fold === true ? text.toLowerCase() : text).includes(wanted);
      };
    }
    case 'recorded': {
      const value = valueIn(leaf.term);
      return cell => value(cell) !== null;
    }
    case 'true': {
      const value = valueIn(leaf.term);
      return cell => value(cell) === true;
    }
  }
}

function valueIn(term: Term): (cell: CellOf) => Cell {
  if (term.kind === 'column') return cell => cell(term.name);
  if (term.kind === 'constant') return () => term.value;
  const [left, right, { op }] = [valueIn(term.left), valueIn(term.right), term];
  return cell => {
    const [a, b] = [left(cell), right(cell)];
    if (typeof a !== 'number' || typeof b !== 'number') return null;
    const result = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a / b;
    return Number.isFinite(result) ? result : null;
  };
}

const compared: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '==': order => order === 0,
  '!=': order => order !== 0,
  '<': order => order < 0,
  '<=': order => order <= 0,
  '>': order => order > 0,
  '>=': order => order >= 0,
};

/** Of recorded cells of one type; texts in the order of their code points, as DuckDB has them. */
export function compareCells(a: Exclude<Cell, null>, b: Exclude<Cell, null>): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return Number(a) - Number(b);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return aboveSurrogates(x) - aboveSurrogates(y);
  }
  return a.length - b.length;
}

/** A surrogate stands for a code point above all that fit in one unit. */
const aboveSurrogates = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
