// The controls of @vscode/webview-ui-toolkit, which is no longer maintained: this is the only file that knows of it. What
// it has no control for, and what a list of thousands of rows cannot afford, is a plain element with a class of ours.

import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { h, icon } from '../dom';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

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
  element.addEventListener('change', () => {
    if (element.value === chosen) return;
    chosen = element.value;
    on(chosen);
  });
  return {
    element,
    offer: (choices, value) => {
      chosen = value;
      element.replaceChildren(
        ...choices.map(choice =>
          h('vscode-option', { value: choice.value, selected: choice.value === value }, choice.label),
        ),
      );
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
