// A plain element, apart from the controls: a page is there before these have been made ready.

import { h, icon } from '../dom';

/** A button that shows only its icon; the label is its name and its tooltip. */
export function iconButton(glyph: string, label: string, on: () => void, pressed?: boolean): HTMLButtonElement {
  const element = h(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      title: label,
      'aria-label': label,
      'aria-pressed': pressed === undefined ? undefined : String(pressed),
    },
    icon(glyph),
  );
  element.addEventListener('click', on);
  return element;
}
