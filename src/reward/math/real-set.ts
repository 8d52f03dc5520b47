// Sets of real numbers as segments: an interval, a union, {1, 2} and x < 3 are compared as what they contain.

import { canonical, type Sum } from './canonical';
import { contains, type Expression, integer, negative, over, type Relation } from './expression';
import { realValue } from './sampling';
import type { MathValue } from './value';

export interface End {
  readonly at: number;
  readonly expression: Expression;
  readonly closed: boolean;
}
export interface Segment {
  readonly low: End;
  readonly high: End;
}

const MOST_SEGMENTS = 64;
const NEAR = 1e-11;

const INFINITE: Expression = { op: 'constant', name: 'infinity' };
const below: End = { at: Number.NEGATIVE_INFINITY, expression: negative(INFINITE), closed: false };
const above: End = { at: Number.POSITIVE_INFINITY, expression: INFINITE, closed: false };
const same = (a: number, b: number) =>
  a === b ||
  (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= NEAR * Math.max(1, Math.abs(a), Math.abs(b)));

/** The segments in order, merged where they touch; undefined for what is no set of real numbers. */
export function realSet(value: MathValue): readonly Segment[] | undefined {
  const segments = segmentsOf(value);
  return segments === undefined || segments.length > MOST_SEGMENTS ? undefined : merged(segments);
}

function end(expression: Expression, closed: boolean): End | undefined {
  const at = realValue(expression);
  return at === undefined ? undefined : { at, expression, closed: closed && Number.isFinite(at) };
}

function segmentsOf(value: MathValue): readonly Segment[] | undefined {
  switch (value.kind) {
    case 'tuple': {
      const [a, b] = value.items;
      if (value.items.length !== 2 || a?.kind !== 'expression' || b?.kind !== 'expression') return undefined;
      const low = end(a.expression, value.open === '[');
      const high = end(b.expression, value.close === ']');
      return low === undefined || high === undefined || low.at > high.at ? undefined : [{ low, high }];
    }
    case 'set':
    case 'list': {
      // conditions beside numbers are no one set
      if (value.items.some(isRelation) && !value.items.every(isRelation)) return undefined;
      const parts = value.items.map(item => {
        if (item.kind === 'expression') {
          const point = end(item.expression, true);
          return point && [{ low: point, high: point }];
        }
        return value.kind === 'list' &&
          (item.kind === 'relation' || (item.kind === 'tuple' && item.open + item.close !== '()'))
          ? segmentsOf(item)
          : undefined;
      });
      if (!parts.every(part => part !== undefined)) return undefined;
      // x > 2, x < 5: conditions that can hold together are meant to
      if (value.kind === 'list' && parts.length > 0 && value.items.every(isRelation)) {
        const both = parts.reduce((all, part) => intersection(merged(all), merged(part)));
        if (both.length > 0) return both;
      }
      return parts.flat();
    }
    case 'expression':
      return value.expression.op === 'symbol' && value.expression.name === 'mathbb R'
        ? [{ low: below, high: above }]
        : undefined;
    case 'join': {
      const parts = value.parts.map(segmentsOf);
      if (!parts.every(part => part !== undefined)) return undefined;
      const [first = [], ...rest] = parts;
      if (value.by === 'union') return parts.flat();
      return rest.reduce(
        (all, part) => intersection(merged(all), merged(value.by === 'without' ? complement(merged(part)) : part)),
        first,
      );
    }
    case 'relation':
      return related(value.sides, value.relations);
    case 'matrix':
    case 'option':
    case 'text':
      return undefined;
  }
}

const isRelation = (value: MathValue): boolean => value.kind === 'relation';

function merged(segments: readonly Segment[]): readonly Segment[] {
  const sorted = segments
    .filter(({ low, high }) => low.at < high.at || (low.closed && high.closed))
    .toSorted((a, b) => (same(a.low.at, b.low.at) ? Number(b.low.closed) - Number(a.low.closed) : a.low.at - b.low.at));
  const out: Segment[] = [];
  for (const segment of sorted) {
    const last = out.at(-1);
    const touches =
      last !== undefined &&
      (same(last.high.at, segment.low.at) ? last.high.closed || segment.low.closed : segment.low.at < last.high.at);
    if (!touches) out.push(segment);
    else if (same(last.high.at, segment.high.at)) {
      if (segment.high.closed) out[out.length - 1] = { low: last.low, high: { ...last.high, closed: true } };
    } else if (segment.high.at > last.high.at) out[out.length - 1] = { low: last.low, high: segment.high };
  }
  return out;
}

function complement(segments: readonly Segment[]): readonly Segment[] {
  const out: Segment[] = [];
  let low = below;
  for (const segment of segments) {
    out.push({ low, high: { ...segment.low, closed: Number.isFinite(segment.low.at) && !segment.low.closed } });
    low = { ...segment.high, closed: Number.isFinite(segment.high.at) && !segment.high.closed };
  }
  out.push({ low, high: above });
  return out.filter(
    ({ low: from, high }) => from.at < high.at || (same(from.at, high.at) && from.closed && high.closed),
  );
}

function intersection(a: readonly Segment[], b: readonly Segment[]): readonly Segment[] {
  return complement(merged([...complement(a), ...complement(b)]));
}

const FLIPPED: Readonly<Partial<Record<Relation, Relation>>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  '!=': '!=',
};

/** -2 < x <= 7, |x| < 3, 2x >= 5: one unknown that appears once, or linearly. */
function related(sides: readonly Expression[], relations: readonly Relation[]): readonly Segment[] | undefined {
  let all: readonly Segment[] | undefined;
  let unknown: string | undefined;
  for (const [i, relation] of relations.entries()) {
    const found = solved(sides[i]!, relation, sides[i + 1]!);
    if (found === undefined || (unknown !== undefined && found.unknown !== unknown)) return undefined;
    unknown = found.unknown;
    all = all === undefined ? found.segments : intersection(merged(all), merged(found.segments));
  }
  return all;
}

function solved(
  left: Expression,
  relation: Relation,
  right: Expression,
): { readonly unknown: string; readonly segments: readonly Segment[] } | undefined {
  if (FLIPPED[relation] === undefined) return undefined;
  const difference = canonical({ op: 'add', terms: [left, negative(right)] });
  if (difference === undefined) return undefined;
  const found = unknownOf(difference);
  if (found === undefined) return undefined;
  const { key, coefficient, rest } = found;
  const bound = over(negative(rest), { op: 'number', value: coefficient });
  const at = end(bound, relation === '<=' || relation === '>=');
  if (at === undefined) return undefined;
  const way = coefficient.numerator < 0n ? FLIPPED[relation]! : relation;
  const segments = half(way, at);
  return key.startsWith('o:abs(') ? absolute(key, way, at) : { unknown: key, segments };
}

function half(relation: Relation, at: End): readonly Segment[] {
  if (relation === '!=')
    return [
      { low: below, high: at },
      { low: at, high: above },
    ];
  return relation === '<' || relation === '<=' ? [{ low: below, high: at }] : [{ low: at, high: above }];
}

/** |x| < a is -a < x < a. */
function absolute(key: string, relation: Relation, at: End) {
  const inner = /^o:abs\(1\/1\*(s:[^*+^]+)\^1\/1\)/.exec(key)?.[1];
  if (inner === undefined || at.at < 0) return undefined;
  const mirrored: End = { at: -at.at, expression: negative(at.expression), closed: at.closed };
  const unknown = `${inner}^1/1`;
  if (relation === '<' || relation === '<=') return { unknown, segments: [{ low: mirrored, high: at }] };
  if (relation === '!=') return undefined;
  return {
    unknown,
    segments: [
      { low: below, high: mirrored },
      { low: at, high: above },
    ],
  };
}

/** a·unknown + rest, the rest without letters. */
function unknownOf(sum: Sum) {
  const unknowns = [...sum].filter(([key]) => /(?:^|[*(])s:|o:(?:apply|abs)\(/.test(key));
  const [entry] = unknowns;
  if (unknowns.length !== 1 || entry === undefined) return undefined;
  const [key, term] = entry;
  const plain =
    term.powers.size === 1 && [...term.powers.values()].every(p => p.numerator === 1n && p.denominator === 1n);
  if (!plain) return undefined;
  const terms: Expression[] = [];
  for (const [other, { coefficient, powers }] of sum) {
    if (other === key) continue;
    const factors: Expression[] = [{ op: 'number', value: coefficient }];
    for (const [atom, exponent] of powers) {
      const base = atomExpression(atom);
      if (base === undefined) return undefined;
      factors.push({ op: 'power', base, exponent: { op: 'number', value: exponent } });
    }
    terms.push({ op: 'multiply', factors });
  }
  const rest: Expression = terms.length === 0 ? integer(0) : { op: 'add', terms };
  if (contains(rest, part => part.op === 'symbol')) return undefined;
  return { key, coefficient: term.coefficient, rest };
}

function atomExpression(atom: string): Expression | undefined {
  if (atom.startsWith('p:')) return integer(BigInt(atom.slice(2)));
  const name = atom.slice(2);
  return atom.startsWith('c:') && (name === 'pi' || name === 'e' || name === 'i' || name === 'infinity')
    ? { op: 'constant', name }
    : undefined;
}
