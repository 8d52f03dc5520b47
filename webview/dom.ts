// Elements with their attributes, listeners and children. A string always becomes a text node: there is no way from here
// to markup, and no inline style.

export type Child = Node | string | undefined | false;

type Listeners = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

export interface Attributes {
  readonly [attribute: string]: string | number | boolean | undefined | Listeners;
  /** Listeners by the name of the event. */
  readonly on?: Listeners;
}

/** True becomes an attribute without a value; undefined and false leave it out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes?: Attributes,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K];
export function h(tag: string, attributes?: Attributes, ...children: readonly Child[]): HTMLElement;
export function h(tag: string, { on, ...attributes }: Attributes = {}, ...children: readonly Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [event, listener] of Object.entries(on ?? {})) element.addEventListener(event, listener as EventListener);
  element.append(...children.filter(child => child !== undefined && child !== false));
  return element;
}

/** A glyph of the codicon font, which says nothing to a screen reader. */
export function icon(name: string): HTMLElement {
  return h('span', { class: `icon icon-${name}`, 'aria-hidden': 'true' });
}

export function replace(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter(child => child !== undefined && child !== false));
}

/** Calls at most once a frame, with nothing to do while the view is hidden. */
export function onceAFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
