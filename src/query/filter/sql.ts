// A condition as SQL for DuckDB. Values are parameters, never text of the statement; names are quoted.

import type { Column } from '../../protocol/query';
import type { Condition, Leaf, Term } from './check';
import type { Literal } from './expression';
import { asRe2 } from './pattern';

export interface Sql {
  readonly text: string;
  readonly values: readonly Literal[];
}

/** How the parts of a statement are written that depend on where it is asked. */
export interface Dialect {
  /** A column, or what stands for one that is not there. */
  readonly column: (name: string, type: Column['type']) => string;
  /** A leaf that looks at the long texts, which lie in another table; undefined for one that does not. */
  readonly textHits: (leaf: Leaf) => string | undefined;
}

export function conditionSql(condition: Condition, dialect: Dialect): Sql {
  const values: Literal[] = [];
  const write = (part: Condition): string => {
    switch (part.kind) {
      case 'always':
        return 'true';
      case 'and':
      case 'or':
        return `(${write(part.left)} ${part.kind} ${write(part.right)})`;
      case 'not':
        return `(not ${write(part.part)})`;
      default:
        return dialect.textHits(part) ?? writeLeaf(part, dialect, values);
    }
  };
  const text = write(condition);
  return { text, values };
}

export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What is not recorded compares to null; a leaf is true or false. */
function writeLeaf(leaf: Leaf, dialect: Dialect, values: Literal[]): string {
  const constant = (value: Literal): string => {
    values.push(value);
    return `$${values.length}::${sqlType[typeof value as 'number' | 'string' | 'boolean']}`;
  };
  const term = (t: Term): string => {
    if (t.kind === 'column') return dialect.column(t.name, t.type);
    if (t.kind === 'constant') return constant(t.value);
    return `${finite}(${term(t.left)} ${t.op} ${term(t.right)})`;
  };
  switch (leaf.kind) {
    case 'compare': {
      const left = term(leaf.left);
      return `coalesce(${left} ${leaf.op} ${term(leaf.right)}, false)`;
    }
    case 'in': {
      const left = term(leaf.term);
      return `coalesce(${left} in (${leaf.values.map(constant).join(', ')}), false)`;
    }
    case 'matches': {
      const left = term(leaf.term);
      return `coalesce(regexp_matches(${left}, ${constant(asRe2(leaf.pattern))}), false)`;
    }
    case 'contains': {
      const left = term(leaf.term);
      if (leaf.fold !== true) return `coalesce(contains(${left}, ${constant(leaf.text)}), false)`;
      return `coalesce(contains(lower(${left}), lower(${constant(leaf.text)})), false)`;
    }
    case 'recorded':
      return `(${term(leaf.term)} is not null)`;
    case 'true':
      return `coalesce(${term(leaf.term)}, false)`;
  }
}

const sqlType = { number: 'double', string: 'varchar', boolean: 'boolean' } as const;

const finite = 'triphase_finite';

/** To be run once on a database: a division by nothing has no result. */
export const macrosSql = `create or replace macro ${finite}(x) as case when isfinite(x) then x end`;
