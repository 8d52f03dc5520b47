// The text of a completion, step by step. Steps lie in pages, and a page that is out of sight is neither laid out nor
// looked at: a browser that had to ask each of some thousand steps whether it is in sight would do nothing else in a
// frame. A page near the sight has its steps as plain text; then each gets what rules matched in it, the heat of its
// tokens and its formulas, a few at a time, so that no frame waits for them. What is far is made when there is nothing
// else to do, for whoever searches in the page or has it read out. The step that is stepped through shows its tokens,
// which come after the text.

import type { TokenFigures } from '../../src/protocol/query';
import { h } from '../dom';
import { modelText } from '../model-text';
import { t } from '../words';
import { HeatLayer } from './heat';
import { InSlices, whenIdle } from './slices';
import { type Look, type Mark, pieceLabel, stepContent, type TextAt, type Written } from './step-content';
import { formulasIn, stepAt, type TraceStep, traceSteps } from './steps';
import { type Heat, TokenPieces } from './tokens';

export interface Place {
  readonly step: number;
  /** Within the tokens of the step; undefined: at the step as a whole. */
  readonly piece: number | undefined;
}

/** Steps that come into view together: laid out within a frame also where they are full of formulas. */
const pageSteps = 8;
/** About a screen is drawn at once when nothing is there yet: so many steps, and no more of them than so many characters. */
const screenSteps = 24;
const screenCharacters = 2400;
/** So near to what is in sight a page is made. */
const nearPixels = 100;

export class CompletionText {
  readonly steps: readonly TraceStep[];
  readonly element = h('div', { class: 'completion', role: 'list', 'aria-label': t('Completion, step by step') });
  private written: Written;
  private readonly pages: readonly HTMLElement[];
  /** Of the pages that were made. */
  private readonly blocks: HTMLElement[] = [];
  /** Pages in sight or near. */
  private readonly visible = new Set<number>();
  /** What the steps show that show what is to be shown of them. */
  private readonly drawn = new Map<number, readonly TextAt[]>();
  private readonly drawing = new InSlices(step => this.drawIfVisible(step));
  private readonly observer: IntersectionObserver;
  private readonly stopFilling: () => void;
  private readonly heatLayer = new HeatLayer();
  private marks: readonly Mark[] = [];
  private look: Look = { raw: false, rule: undefined };
  private heat: Heat = 'none';
  private place: Place = { step: 0, piece: undefined };
  /** Where one is: a step, or a piece of it. */
  private current: HTMLElement | undefined;

  constructor(
    private readonly completion: string,
    chosen: (place: Place) => void,
  ) {
    const formulas = formulasIn(completion);
    this.steps = traceSteps(completion, formulas);
    this.written = {
      completion,
      formulas,
      tokens: null,
      pieces: new TokenPieces({ offsets: null }, completion.length),
    };
    this.pages = Array.from({ length: Math.ceil(this.steps.length / pageSteps) }, (_, page) =>
      h('div', { class: 'steps', role: 'presentation', 'data-page': page }),
    );
    this.element.append(...this.pages);
    this.element.addEventListener('click', event => {
      const step = stepOf(event);
      if (step === undefined) return;
      const isHere = this.place.step === step;
      chosen({ step, piece: isHere ? (pieceOf(event) ?? this.warmPieceAt(event, step)) : undefined });
    });
    this.element.addEventListener('pointermove', event => this.name(event));
    // both: what scrolls is the column, or in a narrow panel the page
    const near: IntersectionObserverInit & { readonly scrollMargin: string } = {
      rootMargin: `${nearPixels}px`,
      scrollMargin: `${nearPixels}px`,
    };
    this.observer = new IntersectionObserver(entries => {
      for (const { target, isIntersecting } of entries) {
        const page = Number((target as HTMLElement).dataset['page']);
        if (!isIntersecting) this.goesOutOfSight(page);
        else if (!this.visible.has(page)) this.comesIntoSight(page);
      }
    }, near);
    for (const page of this.pages) this.observer.observe(page);
    let next = 0;
    this.stopFilling = whenIdle(() => {
      this.fill(next++);
      return next < this.pages.length;
    });
  }

  get tokens(): TokenFigures | null {
    return this.written.tokens;
  }

  get pieces(): TokenPieces {
    return this.written.pieces;
  }

  /** What was recorded of the tokens is there. */
  take(tokens: TokenFigures): void {
    const pieces = new TokenPieces(tokens, this.completion.length);
    this.written = { ...this.written, tokens, pieces };
    this.warm();
  }

  /** Before the element is thrown away. */
  dispose(): void {
    this.observer.disconnect();
    this.drawing.stop();
    this.stopFilling();
    this.heatLayer.leave();
  }

  /** At once what stands around the place at hand, what else is in sight soon. */
  show(marks: readonly Mark[], look: Look): void {
    this.marks = marks;
    this.look = look;
    this.drawn.clear();
    for (const step of this.visible.size === 0
      ? this.screenFrom(this.place.step)
      : this.stepsOf(Math.floor(this.place.step / pageSteps)))
      this.draw(step);
    for (const page of this.visible) this.drawLater(page);
  }

  showHeat(heat: Heat): void {
    if (heat === this.heat) return;
    this.heat = heat;
    this.warm();
  }

  /** Where to be first, before anything is shown. */
  begin(step: number): void {
    this.place = { step, piece: undefined };
  }

  /** Shows where one is, without going there: `reveal` does, once all else that changes with it has changed. */
  go(place: Place): void {
    const before = this.place;
    this.place = place;
    const left = this.blocks[before.step];
    if (left !== undefined && before.step !== place.step) {
      left.tabIndex = -1;
      left.removeAttribute('aria-current');
    }
    if (before.piece !== undefined && (before.step !== place.step || place.piece === undefined)) this.draw(before.step);
    const block = this.block(place.step);
    this.current = block;
    if (block === undefined) return;
    block.setAttribute('aria-current', 'step');
    block.tabIndex = place.piece === undefined ? 0 : -1;
    if (place.piece === undefined ? !this.drawn.has(place.step) : !block.classList.contains('stepping'))
      this.draw(place.step);
    if (place.piece !== undefined) this.current = markCurrent(block, place.piece);
  }

  /**
   * Scrolls to where one is, which needs the layout of all that has changed.
   * @param focus whether the keyboard goes there too
   */
  reveal(focus: boolean): void {
    this.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (focus) this.current?.focus({ preventScroll: true });
  }

  /** The pieces of a step: first and one behind the last. */
  piecesOf(step: number): readonly [number, number] {
    const range = this.steps[step];
    if (range === undefined) return [0, 0];
    const isLast = step === this.steps.length - 1;
    return [this.pieces.firstFrom(range.start), isLast ? this.pieces.length : this.pieces.firstFrom(range.end)];
  }

  /** Where a token stands. */
  placeOf(token: number): Place {
    const piece = this.pieces.of(token);
    if (piece === undefined) return { step: this.place.step, piece };
    return { step: stepAt(this.steps, this.pieces.startAt(piece)), piece };
  }

  private block(step: number): HTMLElement | undefined {
    this.fill(Math.floor(step / pageSteps));
    return this.blocks[step];
  }

  /** Its steps as plain text, where it has none. */
  private fill(page: number): void {
    const from = page * pageSteps;
    if (this.blocks[from] !== undefined) return;
    const { completion } = this;
    const blocks = this.steps.slice(from, from + pageSteps).map((step, i) =>
      h(
        'div',
        {
          class: `step step-${step.kind} model-text`,
          role: 'listitem',
          tabindex: from + i === this.place.step ? 0 : -1,
          'data-step': from + i,
          'data-depth': Math.min(3, step.within.length),
        },
        ...modelText(completion.slice(step.start, step.end).trimEnd()),
      ),
    );
    for (const [i, block] of blocks.entries()) this.blocks[from + i] = block;
    this.pages[page]?.append(...blocks);
  }

  private comesIntoSight(page: number): void {
    this.visible.add(page);
    this.fill(page);
    this.drawLater(page);
    for (const step of this.stepsOf(page)) this.warmStep(step);
  }

  private goesOutOfSight(page: number): void {
    this.visible.delete(page);
    for (const step of this.stepsOf(page)) this.heatLayer.leave(step);
  }

  private *stepsOf(page: number): Generator<number> {
    const end = Math.min(this.steps.length, (page + 1) * pageSteps);
    for (let step = page * pageSteps; step < end; step++) yield step;
  }

  /** From the page on that a step is in. */
  private *screenFrom(step: number): Generator<number> {
    const from = step - (step % pageSteps);
    const end = Math.min(this.steps.length, from + screenSteps);
    let characters = 0;
    for (let one = from; one < end && (one <= step || characters < screenCharacters); one++) {
      yield one;
      const { start, end } = this.steps[one] as TraceStep;
      characters += end - start;
    }
  }

  private drawLater(page: number): void {
    for (const step of this.stepsOf(page)) if (!this.drawn.has(step)) this.drawing.add(step);
  }

  private drawIfVisible(step: number): void {
    if (!this.drawn.has(step) && this.visible.has(Math.floor(step / pageSteps))) this.draw(step);
  }

  private draw(index: number): void {
    const step = this.steps[index];
    const block = this.block(index);
    if (step === undefined || block === undefined) return;
    const stepping = this.place.step === index && this.place.piece !== undefined;
    block.classList.toggle('stepping', stepping);
    const hadFocus = block !== document.activeElement && block.contains(document.activeElement);
    const { written, marks, look } = this;
    const { nodes, texts } = stepContent(written, step, this.piecesOf(index), stepping, marks, look);
    block.replaceChildren(...nodes);
    this.drawn.set(index, texts);
    this.warmStep(index);
    // a person who is at a token is still there when its step is drawn anew
    const here = stepping ? markCurrent(block, this.place.piece) : undefined;
    if (hadFocus) here?.focus({ preventScroll: true });
  }

  /** All that is drawn and in sight, in the heat that is chosen. */
  private warm(): void {
    this.heatLayer.leave();
    for (const page of this.visible) for (const step of this.stepsOf(page)) this.warmStep(step);
  }

  private warmStep(step: number): void {
    const { heat, tokens, pieces } = this;
    const texts = this.drawn.get(step);
    if (texts === undefined || tokens === null || heat === 'none') this.heatLayer.leave(step);
    else this.heatLayer.show(step, texts, tokens, pieces, this.piecesOf(step), heat);
  }

  /** While heat is shown, the token that is pointed at says what it is. */
  private name(event: PointerEvent): void {
    const step = stepOf(event);
    const block = step === undefined ? undefined : this.blocks[step];
    if (step === undefined || block === undefined) return;
    const piece = pieceOf(event) === undefined ? this.warmPieceAt(event, step) : undefined;
    const label = piece === undefined ? '' : pieceLabel(this.written, piece);
    if (block.title !== label) block.title = label;
  }

  /** Where heat is shown, the piece that the pointer is on. */
  private warmPieceAt({ clientX, clientY }: MouseEvent, step: number): number | undefined {
    if (this.heat === 'none' || this.tokens === null) return undefined;
    const at = document.caretPositionFromPoint(clientX, clientY);
    const text = this.drawn
      .get(step)
      ?.find(({ node }) => node === at?.offsetNode || node.contains(at?.offsetNode ?? null));
    if (at === null || text === undefined) return undefined;
    const offset = text.start + (text.node instanceof Text ? Math.min(at.offset, text.end - text.start - 1) : 0);
    // the last one that begins there or before
    const piece = this.pieces.firstFrom(offset + 1) - 1;
    return piece < 0 ? undefined : piece;
  }
}

function stepOf({ target }: Event): number | undefined {
  const step = (target as HTMLElement).closest<HTMLElement>('[data-step]')?.dataset['step'];
  return step === undefined ? undefined : Number(step);
}

/** Of a step that shows its tokens. */
function pieceOf({ target }: Event): number | undefined {
  const piece = (target as HTMLElement).closest<HTMLElement>('[data-piece]')?.dataset['piece'];
  return piece === undefined ? undefined : Number(piece);
}

/** Of the pieces of a step, the one at hand. */
function markCurrent(block: HTMLElement, piece: number | undefined): HTMLElement | undefined {
  for (const before of block.querySelectorAll<HTMLElement>('[data-piece][aria-current]')) {
    before.tabIndex = -1;
    before.removeAttribute('aria-current');
  }
  if (piece === undefined) return undefined;
  let current: HTMLElement | undefined;
  // a mark that begins within a token parts it in two
  for (const here of block.querySelectorAll<HTMLElement>(`[data-piece="${piece}"]`)) {
    here.tabIndex = 0;
    here.setAttribute('aria-current', 'true');
    current = here;
  }
  return current;
}
