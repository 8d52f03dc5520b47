// The text of a completion, step by step. A step is plain text until it comes into view; then it has what rules matched
// in it, the heat of its tokens, and its formulas. The step that is stepped through shows its tokens one by one. Steps lie
// in pages, and a page that is out of sight is neither laid out nor looked at: a browser that had to ask each of some
// thousand steps whether it is in sight would do nothing else in a frame.

import type { TokenFigures } from '../../src/protocol/query';
import { h } from '../dom';
import { modelLine, modelText } from '../model-text';
import { figure, t } from '../words';
import { latex } from './latex';
import { type Formula, formulasIn, type Span, stepAt, type TraceStep, traceSteps } from './steps';
import { figuresOf, type Heat, heatOf, type TokenPiece, tokenPieces } from './tokens';

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

export interface Place {
  readonly step: number;
  /** Within the tokens of the step; undefined: at the step as a whole. */
  readonly piece: number | undefined;
}

/** Steps that come into view together. */
const pageSteps = 24;

export class CompletionText {
  readonly steps: readonly TraceStep[];
  readonly pieces: readonly TokenPiece[];
  readonly element = h('div', { class: 'completion', role: 'list', 'aria-label': t('Completion, step by step') });
  private readonly formulas: readonly Formula[];
  private readonly blocks: readonly HTMLElement[];
  private readonly visible = new Set<number>();
  private readonly observer: IntersectionObserver;
  private marks: readonly Mark[] = [];
  private look: Look = { heat: 'none', raw: false, rule: undefined };
  private place: Place = { step: 0, piece: undefined };

  constructor(
    private readonly completion: string,
    private readonly tokens: TokenFigures | null,
    chosen: (place: Place) => void,
  ) {
    this.steps = traceSteps(completion);
    this.formulas = formulasIn(completion);
    this.pieces = tokens === null ? [] : tokenPieces(tokens, completion.length);
    this.blocks = this.steps.map((step, i) =>
      h(
        'div',
        {
          class: `step step-${step.kind} model-text`,
          role: 'listitem',
          tabindex: i === 0 ? 0 : -1,
          'data-step': i,
          'data-depth': Math.min(3, step.within.length),
        },
        ...modelText(completion.slice(step.start, step.end).trimEnd()),
      ),
    );
    const pages = Array.from({ length: Math.ceil(this.blocks.length / pageSteps) }, (_, page) =>
      h(
        'div',
        { class: 'steps', role: 'presentation', 'data-page': page },
        ...this.blocks.slice(page * pageSteps, (page + 1) * pageSteps),
      ),
    );
    this.element.append(...pages);
    this.element.addEventListener('click', event => {
      const target = event.target as HTMLElement;
      const step = Number(target.closest<HTMLElement>('[data-step]')?.dataset['step'] ?? Number.NaN);
      if (Number.isNaN(step)) return;
      const piece = target.closest<HTMLElement>('[data-piece]')?.dataset['piece'];
      chosen({ step, piece: piece === undefined || this.place.step !== step ? undefined : Number(piece) });
    });
    this.observer = new IntersectionObserver(
      entries => {
        for (const { target, isIntersecting } of entries) {
          const page = Number((target as HTMLElement).dataset['page']);
          if (!isIntersecting) this.visible.delete(page);
          else if (!this.visible.has(page)) {
            this.visible.add(page);
            this.drawPage(page);
          }
        }
      },
      { rootMargin: '200px' },
    );
    for (const page of pages) this.observer.observe(page);
  }

  /** Before the element is thrown away. */
  dispose(): void {
    this.observer.disconnect();
  }

  show(marks: readonly Mark[], look: Look): void {
    this.marks = marks;
    this.look = look;
    for (const page of this.visible) this.drawPage(page);
  }

  /** @param focus whether the keyboard goes there too */
  go(place: Place, focus: boolean): void {
    const before = this.place;
    this.place = place;
    const left = this.blocks[before.step];
    if (left !== undefined && before.step !== place.step) {
      left.tabIndex = -1;
      left.removeAttribute('aria-current');
    }
    if (before.piece !== undefined && (before.step !== place.step || place.piece === undefined)) this.draw(before.step);
    const block = this.blocks[place.step];
    if (block === undefined) return;
    block.setAttribute('aria-current', 'step');
    if (place.piece === undefined) {
      block.tabIndex = 0;
      block.classList.remove('stepping');
      reveal(block);
      if (focus) block.focus({ preventScroll: true });
      return;
    }
    block.tabIndex = -1;
    if (!block.classList.contains('stepping')) this.draw(place.step);
    const here = markCurrent(block, place.piece);
    if (here === undefined) return;
    reveal(here);
    if (focus) here.focus({ preventScroll: true });
  }

  /** The pieces of a step: first and one behind the last. */
  piecesOf(step: number): readonly [number, number] {
    const range = this.steps[step];
    if (range === undefined) return [0, 0];
    const isLast = step === this.steps.length - 1;
    return [
      firstAtOrAfter(this.pieces, range.start),
      isLast ? this.pieces.length : firstAtOrAfter(this.pieces, range.end),
    ];
  }

  /** Where a token stands. */
  placeOf(token: number): Place {
    let piece = 0;
    for (let beyond = this.pieces.length; piece < beyond; ) {
      const middle = (piece + beyond) >> 1;
      if ((this.pieces[middle] as TokenPiece).last < token) piece = middle + 1;
      else beyond = middle;
    }
    const found = this.pieces[piece];
    if (found === undefined) return { step: this.place.step, piece: undefined };
    return { step: stepAt(this.steps, found.start), piece };
  }

  private drawPage(page: number): void {
    const end = Math.min(this.blocks.length, (page + 1) * pageSteps);
    for (let step = page * pageSteps; step < end; step++) this.draw(step);
  }

  private draw(index: number): void {
    const step = this.steps[index];
    const block = this.blocks[index];
    if (step === undefined || block === undefined) return;
    const stepping = this.place.step === index && this.place.piece !== undefined;
    block.classList.toggle('stepping', stepping);
    const hadFocus = block !== document.activeElement && block.contains(document.activeElement);
    block.replaceChildren(...this.content(index, step, stepping));
    // a person who is at a token is still there when its step is drawn anew
    const here = stepping ? markCurrent(block, this.place.piece) : undefined;
    if (hadFocus) here?.focus({ preventScroll: true });
  }

  private content(index: number, step: TraceStep, stepping: boolean): readonly Node[] {
    const { heat, raw, rule } = this.look;
    // the white space behind a step is its place in the text, and is shown only token by token
    const end = stepping ? step.end : step.start + this.completion.slice(step.start, step.end).trimEnd().length;
    const marks = this.marks.filter(
      mark => mark.start < end && step.start < mark.end && (rule === undefined || mark.rule === rule),
    );
    const rendered = raw || stepping ? [] : this.formulas.filter(one => step.start <= one.start && one.end <= end);
    const withTokens = this.pieces.length > 0 && (stepping || heat !== 'none');
    const [first, beyond] = withTokens ? this.piecesOf(index) : [0, 0];
    const cuts = new Set<number>([step.start, end]);
    const inFormula = (at: number) => rendered.some(one => one.start < at && at < one.end);
    for (const one of rendered) for (const at of [one.start, one.end]) cuts.add(at);
    for (const mark of marks)
      for (const at of [mark.start, mark.end]) if (step.start < at && at < end && !inFormula(at)) cuts.add(at);
    for (let i = first; i < beyond; i++) {
      const at = this.pieces[i]?.start ?? end;
      if (step.start < at && at < end && !inFormula(at)) cuts.add(at);
    }
    const places = [...cuts].toSorted((a, b) => a - b);
    const nodes: Node[] = [];
    let piece = first;
    for (let i = 0; i + 1 < places.length; i++) {
      const [from, to] = [places[i] as number, places[i + 1] as number];
      while (piece + 1 < beyond && (this.pieces[piece + 1]?.start ?? end) <= from) piece++;
      const over = marks.filter(mark => mark.start < to && from < mark.end);
      nodes.push(this.run(from, to, over, rendered, withTokens ? piece : undefined, stepping));
    }
    // the stop token has no text of its own
    if (stepping)
      for (let i = Math.max(first, piece); i < beyond; i++)
        if (this.pieces[i]?.start === this.pieces[i]?.end)
          nodes.push(this.pieceElement(i, [h('span', { class: 'unseen' }, t('end'))], []));
    return nodes;
  }

  private run(
    from: number,
    to: number,
    over: readonly Mark[],
    rendered: readonly Formula[],
    piece: number | undefined,
    stepping: boolean,
  ): Node {
    const formula = rendered.find(one => one.start === from && one.end === to);
    const content: readonly Node[] =
      formula === undefined
        ? stepping
          ? shownWhitespace(this.completion.slice(from, to))
          : modelText(this.completion.slice(from, to))
        : [latex(this.completion.slice(formula.inner.start, formula.inner.end), formula.display)];
    if (piece !== undefined && formula === undefined) return this.pieceElement(piece, content, over);
    if (over.length === 0) return content.length === 1 ? (content[0] as Node) : h('span', {}, ...content);
    return markElement(over, content);
  }

  private pieceElement(piece: number, content: readonly Node[], over: readonly Mark[]): HTMLElement {
    const { first = 0, last = 0 } = this.pieces[piece] ?? {};
    const { tokens } = this;
    const figures = tokens === null ? undefined : figuresOf(tokens, first);
    const heat = figures === undefined ? null : heatOf(figures, this.look.heat);
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

/** Of the pieces of a step, the one at hand. */
function markCurrent(block: HTMLElement, piece: number | undefined): HTMLElement | undefined {
  let current: HTMLElement | undefined;
  for (const one of block.querySelectorAll<HTMLElement>('[data-piece]')) {
    const here = one.dataset['piece'] === String(piece);
    one.tabIndex = here ? 0 : -1;
    if (here) {
      one.setAttribute('aria-current', 'true');
      current = one;
    } else one.removeAttribute('aria-current');
  }
  return current;
}

/** Spaces and line ends as signs: a token may be nothing else. */
function shownWhitespace(text: string): readonly Node[] {
  if (text.trim() !== '') return modelText(text);
  const signs = text.replaceAll(' ', '·').replaceAll('\t', '→').replaceAll('\n', '⏎');
  return [h('span', { class: 'blank' }, signs), ...(text.includes('\n') ? [document.createTextNode('\n')] : [])];
}

function firstAtOrAfter(pieces: readonly TokenPiece[], offset: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle] as TokenPiece).start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

const reveal = (element: HTMLElement): void => element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
