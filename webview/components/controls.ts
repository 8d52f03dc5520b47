// Elements of the toolkit. They are controls once toolkit.ts has run, which a page has in its own script or as a part that
// comes later (parts.ts).

import { h, icon } from '../dom';

export function button(
  label: string,
  { icon: glyph, quiet = false, on }: { readonly icon?: string; readonly quiet?: boolean; readonly on: () => void },
): HTMLElement {
  const element = h(
    'vscode-button',
    { appearance: quiet ? 'secondary' : 'primary', on: { click: on } },
    glyph !== undefined && icon(glyph),
    label,
  );
  glyph === undefined || element.classList.add('with-icon');
  return element;
}

export function checkbox(label: string, checked: boolean, on: (checked: boolean) => void): HTMLElement {
  const element = h('vscode-checkbox', { checked }, label) as HTMLElement & { checked: boolean };
  element.addEventListener('change', () => on(element.checked));
  return element;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Dropdown {
  readonly element: HTMLElement;
  offer(choices: readonly Choice[], chosen: string): void;
}

/** @param on called with the value when the person chooses, not when the choices are set */
export function dropdown(label: string, on: (value: string) => void): Dropdown {
  const element = h('vscode-dropdown', { 'aria-label': label }) as HTMLElement & { value: string };
  let chosen = '';
  let offered = '';
  element.addEventListener('change', () => {
    if (element.value === chosen) return;
    chosen = element.value;
    on(chosen);
  });
  return {
    element,
    offer: (choices, value) => {
      chosen = value;
      // options are costly to make
      const these = JSON.stringify(choices);
      if (these !== offered)
        element.replaceChildren(
          ...choices.map(choice =>
            h('vscode-option', { value: choice.value, selected: choice.value === value }, choice.label),
          ),
        );
      offered = these;
      element.value = value;
    },
  };
}

export function progressRing(label: string): HTMLElement {
  return h('vscode-progress-ring', { 'aria-label': label });
}

export interface TextField {
  readonly element: HTMLElement;
  value: string;
}

export function textField(label: string, placeholder: string, on: (value: string) => void): TextField {
  const element = h('vscode-text-field', { 'aria-label': label, placeholder }) as HTMLElement & { value: string };
  // the toolkit's own is "Text field", which it sets when the element comes into the page
  queueMicrotask(() => element.setAttribute('aria-label', label));
  element.addEventListener('input', () => on(element.value));
  return {
    element,
    get value() {
      return element.value;
    },
    set value(value: string) {
      element.value = value;
    },
  };
}
