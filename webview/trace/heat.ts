// The heat of tokens, as highlights that the browser paints over the text (CSS Custom Highlight API): another heat changes
// no element and no layout, as a span for each token in sight would. What is out of sight has none, since every highlight is
// looked through whenever the text changes.

import type { TokenFigures } from '../../src/protocol/query';
import type { TextAt } from './step-content';
import { figuresOf, type Heat, heatOf, type TokenPieces } from './tokens';

/** From hardly any to all that there is; the styles have as many. */
const levels = 9;

interface Warm {
  readonly name: string;
  readonly range: StaticRange;
}

export class HeatLayer {
  private readonly steps = new Map<number, readonly Warm[]>();

  /** @param range the pieces of the step: first, and one behind the last */
  show(
    step: number,
    texts: readonly TextAt[],
    tokens: TokenFigures,
    pieces: TokenPieces,
    [first, beyond]: readonly [number, number],
    heat: Heat,
  ): void {
    this.leave(step);
    const warm: Warm[] = [];
    let text = 0;
    for (let i = first; i < beyond; i++) {
      const piece = pieces.at(i);
      const name = piece === undefined ? undefined : highlightOf(heatOf(figuresOf(tokens, piece.first), heat));
      if (piece === undefined || name === undefined) continue;
      while (text < texts.length && (texts[text] as TextAt).end < piece.start) text++;
      for (let at = text; at < texts.length && (texts[at] as TextAt).start <= piece.end; at++) {
        const range = rangeOver(texts[at] as TextAt, piece.start, piece.end);
        if (range !== undefined) warm.push({ name, range });
      }
    }
    for (const { name, range } of warm) highlight(name).add(range);
    if (warm.length > 0) this.steps.set(step, warm);
  }

  /** Of one step, or of all. */
  leave(step?: number): void {
    for (const one of step === undefined ? [...this.steps.keys()] : [step]) {
      for (const { name, range } of this.steps.get(one) ?? []) highlight(name).delete(range);
      this.steps.delete(one);
    }
  }
}

/** undefined: no more than the page itself. */
function highlightOf(heat: number | null): string | undefined {
  const level = heat === null ? 0 : Math.round(Math.abs(heat) * levels);
  return level === 0 ? undefined : `heat-${(heat ?? 0) < 0 ? 'down-' : ''}${level}`;
}

function highlight(name: string): Highlight {
  let known = CSS.highlights.get(name);
  if (known === undefined) {
    known = new Highlight();
    CSS.highlights.set(name, known);
  }
  return known;
}

/** What a node shows of a part of the completion: of a text its characters, of a sign all of it. */
function rangeOver({ node, start, end }: TextAt, from: number, to: number): StaticRange | undefined {
  const isSame = start === from && end === to;
  if (!isSame && (start >= to || from >= end)) return undefined;
  const [startOffset, endOffset] =
    node instanceof Text ? [Math.max(0, from - start), Math.min(end, to) - start] : [0, node.childNodes.length];
  return new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset });
}
