// Formulas as people write them. KaTeX makes elements, never markup of ours, and refuses what is no LaTeX: then the raw
// text stands there.

import type { KatexOptions } from 'katex';
import 'katex/dist/katex.css';
import { modelText } from '../model-text';
import { part } from '../parts';
import { t } from '../words';
import type { Formula } from './steps';

/** What katex.ts leaves behind. */
declare const katex: { readonly render: (source: string, element: HTMLElement, options: KatexOptions) => void };

/** Where the part cannot be loaded, formulas stay as they were written. */
export const prepareLatex = (): Promise<void> => part('katex').catch(error => console.error(error));

/** What was rendered, by its source: a trace writes its $x$ again and again. */
const rendered = new Map<string, HTMLElement>();
const mostRendered = 1000;

/** A formula of a text rendered; as it was written, with its marks, where it cannot be. */
export function latex(text: string, { start, end, inner, display }: Formula): HTMLElement {
  const written = text.slice(start, end);
  let known = rendered.get(written);
  if (known === undefined) {
    known = render(written, text.slice(inner.start, inner.end), display);
    if (rendered.size >= mostRendered) rendered.clear();
    rendered.set(written, known);
  }
  return known.cloneNode(true) as HTMLElement;
}

function render(written: string, source: string, display: boolean): HTMLElement {
  const element = document.createElement('span');
  element.className = display ? 'formula formula-display' : 'formula';
  try {
    // no links, no classes or images from a formula; a bomb of macros ends at maxExpand
    katex.render(source, element, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: 'ignore',
      maxExpand: 200,
      maxSize: 10,
    });
  } catch {
    element.className = 'formula-raw model-text';
    element.title = t('This LaTeX cannot be rendered: it stands here as it was written.');
    element.replaceChildren(...modelText(written));
  }
  return element;
}
