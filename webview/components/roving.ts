// One tab stop for a row of buttons: the arrow keys, Home and End move within it.

export function rovingToolbar(toolbar: HTMLElement): void {
  const buttons = (): readonly HTMLButtonElement[] => [...toolbar.querySelectorAll<HTMLButtonElement>('button')];
  const make = (current: HTMLButtonElement | undefined): void => {
    for (const one of buttons()) one.tabIndex = one === current ? 0 : -1;
  };
  make(buttons()[0]);
  if (toolbar.dataset['roving'] !== undefined) return;
  toolbar.dataset['roving'] = '';
  toolbar.addEventListener('focusin', event => make(event.target as HTMLButtonElement));
  toolbar.addEventListener('keydown', event => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  });
}
