// What a step shows: its text with what rules matched in it, its formulas, and its tokens with their heat; token by token
// where it is stepped through.

import type { TokenFigures } from '../../src/protocol/query';
import { h } from '../dom';
import { modelLine, modelText } from '../model-text';
import { figure, t } from '../words';
import { latex } from './latex';
import type { Formula, Span, TraceStep } from './steps';
import { figuresOf, type Heat, heatOf, type TokenPieces } from './tokens';

/** What a rule matched. */
export interface Mark extends Span {
  readonly rule: string;
  /** Of the rule among the rules of the run, for its colour and number. */
  readonly number: number;
}

export interface Look {
  readonly heat: Heat;
  /** The text as it was written, LaTeX not rendered. */
  readonly raw: boolean;
  /** Only the marks of this rule are shown; undefined: those of all rules. */
  readonly rule: string | undefined;
}

/** A completion with all that may be shown in it. */
export interface Written {
  readonly completion: string;
  readonly formulas: readonly Formula[];
  readonly tokens: TokenFigures | null;
  readonly pieces: TokenPieces;
}

/** @param range the pieces of the step: first, and one behind the last */
export function stepContent(
  written: Written,
  step: TraceStep,
  range: readonly [number, number],
  stepping: boolean,
  allMarks: readonly Mark[],
  look: Look,
): readonly Node[] {
  const { completion, pieces } = written;
  const { heat, raw, rule } = look;
  // the white space behind a step is its place in the text, and is shown only token by token
  const end = stepping ? step.end : step.start + completion.slice(step.start, step.end).trimEnd().length;
  if (end === step.start && !stepping)
    return [h('span', { class: 'missing' }, completion === '' ? t('Nothing was written.') : t('Only white space.'))];
  const marks = allMarks.filter(
    mark => mark.start < end && step.start < mark.end && (rule === undefined || mark.rule === rule),
  );
  const rendered = raw || stepping ? [] : within(written.formulas, step.start, end);
  const withTokens = pieces.length > 0 && (stepping || heat !== 'none');
  const [first, beyond] = withTokens ? range : [0, 0];
  // the token before begins in the step before, and may end in this one
  const before = first > 0 && pieces.startAt(first) > step.start ? first - 1 : first;
  const cuts = new Set<number>([step.start, end]);
  const inFormula = (at: number) => rendered.some(one => one.start < at && at < one.end);
  for (const one of rendered) for (const at of [one.start, one.end]) cuts.add(at);
  for (const mark of marks)
    for (const at of [mark.start, mark.end]) if (step.start < at && at < end && !inFormula(at)) cuts.add(at);
  for (let i = first; i < beyond; i++) {
    const at = pieces.startAt(i);
    if (step.start < at && at < end && !inFormula(at)) cuts.add(at);
  }
  const places = [...cuts].toSorted((a, b) => a - b);
  const nodes: Node[] = [];
  let piece = before;
  for (let i = 0; i + 1 < places.length; i++) {
    const [from, to] = [places[i] as number, places[i + 1] as number];
    while (piece + 1 < beyond && pieces.startAt(piece + 1) <= from) piece++;
    const over = marks.filter(mark => mark.start < to && from < mark.end);
    nodes.push(run(written, from, to, over, rendered, withTokens ? piece : undefined, stepping, heat));
  }
  // the stop token has no text of its own
  if (stepping)
    for (let i = Math.max(first, piece); i < beyond; i++)
      if (pieces.startAt(i) === pieces.startAt(i + 1))
        nodes.push(pieceElement(written, i, [h('span', { class: 'unseen' }, t('end'))], [], heat));
  return nodes;
}

/** Formulas that lie in a part of the text whole. */
function within(formulas: readonly Formula[], start: number, end: number): readonly Formula[] {
  const found: Formula[] = [];
  for (let i = firstAtOrAfter(formulas, start); i < formulas.length; i++) {
    const one = formulas[i] as Formula;
    if (one.start >= end) break;
    if (one.end <= end) found.push(one);
  }
  return found;
}

function run(
  written: Written,
  from: number,
  to: number,
  over: readonly Mark[],
  rendered: readonly Formula[],
  piece: number | undefined,
  stepping: boolean,
  heat: Heat,
): Node {
  const { completion } = written;
  const formula = rendered.find(one => one.start === from && one.end === to);
  const content: readonly Node[] =
    formula === undefined
      ? stepping
        ? shownWhitespace(completion.slice(from, to))
        : modelText(completion.slice(from, to))
      : [latex(completion, formula)];
  if (piece !== undefined && formula === undefined) return pieceElement(written, piece, content, over, heat);
  if (over.length === 0) return content.length === 1 ? (content[0] as Node) : h('span', {}, ...content);
  return markElement(over, content);
}

function pieceElement(
  { pieces, tokens }: Written,
  piece: number,
  content: readonly Node[],
  over: readonly Mark[],
  shownHeat: Heat,
): HTMLElement {
  const { first = 0, last = 0 } = pieces.at(piece) ?? {};
  const figures = tokens === null ? undefined : figuresOf(tokens, first);
  const heat = figures === undefined ? null : heatOf(figures, shownHeat);
  const label =
    figures?.probability === null || figures === undefined
      ? t('token {0}', first + 1)
      : t(
          'token {0}, probability {1}',
          last === first ? first + 1 : `${first + 1}–${last + 1}`,
          figure(figures.probability),
        );
  return h(
    'span',
    {
      class: `token${heat === null ? '' : ` heat-${heat < 0 ? 'down-' : ''}${Math.round(Math.abs(heat) * 9)}`}`,
      'data-piece': piece,
      tabindex: -1,
      title: label,
    },
    ...(over.length === 0 ? content : [markElement(over, content)]),
  );
}

function markElement(over: readonly Mark[], content: readonly Node[]): HTMLElement {
  const [mark] = over;
  const names = [...new Set(over.map(({ rule }) => modelLine(rule)))].join(', ');
  return h(
    'mark',
    { class: `rule-mark rule-${(mark?.number ?? 0) % 6}`, title: names, 'data-rules': names },
    ...content,
  );
}

/** Spaces and line ends as signs: a token may be nothing else. */
function shownWhitespace(text: string): readonly Node[] {
  if (text.trim() !== '') return modelText(text);
  const signs = text.replaceAll(' ', '·').replaceAll('\t', '→').replaceAll('\n', '⏎');
  return [h('span', { class: 'blank' }, signs), ...(text.includes('\n') ? [document.createTextNode('\n')] : [])];
}

/** Of spans in the order of the text. */
function firstAtOrAfter(spans: readonly Span[], offset: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
