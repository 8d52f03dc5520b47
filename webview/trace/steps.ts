// A completion cut into steps: what a reader takes in at once. Tags stand for themselves and open a section; within a
// section a step is a formula that stands alone, a line, or a sentence of a line.

/** UTF-16 offsets into the completion; the end is behind the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface TraceStep extends Span {
  readonly kind: 'tag' | 'formula' | 'line' | 'sentence';
  /** Names of the elements that are open here, the outermost first. */
  readonly within: readonly string[];
}

/** A formula within the text; `inner` is what stands between its marks. */
export interface Formula extends Span {
  readonly display: boolean;
  readonly inner: Span;
}

const tagPattern = /<(\/?)([A-Za-z][\w-]{0,40})>/g;

/**
 * Steps cover the completion without gap or overlap, but for the white space between them, which belongs to the step
 * before it (at the beginning to the first).
 */
export function traceSteps(completion: string): readonly TraceStep[] {
  const formulas = formulasIn(completion);
  const steps: TraceStep[] = [];
  const open: string[] = [];
  let from = 0;
  const plain = (end: number): void => {
    for (const step of stepsBetween(completion, formulas, from, end)) steps.push({ ...step, within: [...open] });
  };
  for (const tag of completion.matchAll(tagPattern)) {
    if (formulas.some(({ start, end }) => start <= tag.index && tag.index < end)) continue;
    plain(tag.index);
    from = tag.index + tag[0].length;
    const [, closing, name = ''] = tag;
    if (closing === '/') {
      const at = open.lastIndexOf(name);
      steps.push({ start: tag.index, end: from, kind: 'tag', within: open.slice(0, Math.max(0, at)) });
      if (at >= 0) open.length = at;
    } else {
      steps.push({ start: tag.index, end: from, kind: 'tag', within: [...open] });
      open.push(name);
    }
  }
  plain(completion.length);
  return closed(steps, completion.length);
}

/** The step that holds an offset; the last one for the end of the text. */
export function stepAt(steps: readonly Span[], offset: number): number {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((steps[middle] as Span).start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const formulaPattern =
  /\$\$(?<dd>[^$]+)\$\$|\\\[(?<db>.+?)\\\]|\\\((?<ib>.+?)\\\)|(?<![\\$\w])\$(?<id>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])|(?<boxed>\\boxed\{)/gs;

/** Formulas between $…$, $$…$$, \(…\) and \[…\], and \boxed{…} that stands outside of these. */
export function formulasIn(text: string): readonly Formula[] {
  const formulas: Formula[] = [];
  for (const found of text.matchAll(formulaPattern)) {
    const start = found.index;
    if ((formulas.at(-1)?.end ?? 0) > start) continue;
    const { dd, db, ib, id, boxed } = found.groups ?? {};
    if (boxed !== undefined) {
      const end = closingBrace(text, start + boxed.length);
      if (end !== undefined) formulas.push({ start, end, display: false, inner: { start, end } });
      continue;
    }
    const marks = id === undefined ? 2 : 1;
    const end = start + found[0].length;
    const inner = { start: start + marks, end: end - marks };
    formulas.push({ start, end, display: ib === undefined && id === undefined && (dd ?? db) !== undefined, inner });
  }
  return formulas;
}

function closingBrace(text: string, from: number): number | undefined {
  let depth = 1;
  // a formula of more than this is none
  const last = Math.min(text.length, from + 2000);
  for (let i = from; i < last; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return i + 1;
  }
  return undefined;
}

type PlainStep = Omit<TraceStep, 'within'>;

function* stepsBetween(text: string, formulas: readonly Formula[], from: number, to: number): Generator<PlainStep> {
  let at = from;
  for (const { start, end, display } of formulas) {
    if (!display || end <= from || start >= to) continue;
    yield* lines(text, formulas, at, start);
    yield { start, end, kind: 'formula' };
    at = end;
  }
  yield* lines(text, formulas, at, to);
}

function* lines(text: string, formulas: readonly Formula[], from: number, to: number): Generator<PlainStep> {
  for (let at = from; at < to; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 || newline >= to ? to : newline + 1;
    yield* sentences(text, formulas, at, end);
    at = end;
  }
}

let segmenter: Intl.Segmenter | undefined;

function* sentences(text: string, formulas: readonly Formula[], from: number, to: number): Generator<PlainStep> {
  const line = text.slice(from, to);
  if (line.trim() === '') return;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' });
  const ends: number[] = [];
  for (const { index, segment } of segmenter.segment(line)) {
    const end = from + index + segment.length;
    const inFormula = formulas.some(formula => formula.start < end && end < formula.end);
    if (!inFormula && !endsShort(text.slice(from + index, end))) ends.push(end);
  }
  if (ends.at(-1) !== to) ends.push(to);
  let start = from;
  for (const end of ends) {
    for (const cut of breathsOf(text, formulas, start, end)) {
      yield { start, end: cut, kind: ends.length === 1 && cut === to && start === from ? 'line' : 'sentence' };
      start = cut;
    }
  }
}

/** Characters: a reader takes in no more at once, and what a model writes without a full stop may never end. */
const longestStep = 600;

/** Where a sentence that is too long is cut, between words where it has any; its end last. */
function* breathsOf(text: string, formulas: readonly Formula[], from: number, to: number): Generator<number> {
  let start = from;
  while (to - start > longestStep) {
    // within the step alone: a text without spaces is long
    const space = start + text.slice(start, start + longestStep).lastIndexOf(' ') + 1;
    let cut = space > start + longestStep / 2 ? space : start + longestStep;
    const formula = formulas.find(one => one.start < cut && cut < one.end);
    if (formula !== undefined) cut = formula.start > start ? formula.start : formula.end;
    // a character of two units is not cut in its middle
    if (/[\udc00-\udfff]/.test(text[cut] ?? '')) cut++;
    if (cut >= to) break;
    yield cut;
    start = cut;
  }
  yield to;
}

/** "e.g. ", "Fig. ", "1. ": a full stop that ends no sentence. */
const endsShort = (segment: string): boolean =>
  /(^|[\s(])(\d+|[A-Za-z]|e\.g|i\.e|cf|eq|fig|no|vs|approx|resp)\.\s*$/i.test(segment);

/** White space between steps goes to the step before. */
function closed(steps: readonly TraceStep[], length: number): readonly TraceStep[] {
  return steps.map((step, i) => ({
    ...step,
    start: i === 0 ? 0 : step.start,
    end: steps[i + 1]?.start ?? length,
  }));
}
