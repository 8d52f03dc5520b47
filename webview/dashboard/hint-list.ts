// Hints on the rewards of a run: what may be wrong, with the way to an example and to the rule, and one to say that it is
// none.

import type { Hint, RolloutRef } from '../../src/protocol/query';
import { h, icon, replace } from '../dom';
import { type Host, isAbort } from '../host';
import { modelLine } from '../model-text';
import { t } from '../words';

export interface HintListeners {
  readonly open: (ref: RolloutRef) => void;
  readonly openRule: (rule: string) => void;
  readonly failed: (error: unknown) => void;
}

export class HintList {
  readonly element = h('section', { class: 'hints', hidden: true, tabindex: -1, 'aria-label': t('Hints') });
  private hints: readonly Hint[] = [];
  private folder = '';
  private remembers = false;
  private hinting: { readonly folder: string; readonly asked: AbortController; again: boolean } | undefined;

  constructor(
    private readonly host: Host,
    private readonly listeners: HintListeners,
  ) {}

  /**
   * Every rollout is read for them: of a long run that takes longer than its next step, and what is shown does not wait.
   * @param remembers whether there is a file that says the rules, and can say that a hint is no problem
   */
  async ask(folder: string, remembers: boolean): Promise<void> {
    this.remembers = remembers;
    if (this.hinting?.folder === folder) {
      this.hinting.again = true;
      return;
    }
    this.hinting?.asked.abort();
    const hinting = { folder, asked: new AbortController(), again: false };
    this.hinting = hinting;
    try {
      const hints = await this.host.request('hints', { folder }, { signal: hinting.asked.signal });
      this.folder = folder;
      this.show(hints);
    } catch (error) {
      if (!isAbort(error)) this.listeners.failed(error);
    } finally {
      if (this.hinting === hinting) {
        this.hinting = undefined;
        if (hinting.again) void this.ask(folder, this.remembers);
      }
    }
  }

  private show(hints: readonly Hint[]): void {
    // a run that goes on has the same again and again, and whoever is at one of its buttons stays there
    if (!this.element.hidden && JSON.stringify(hints) === JSON.stringify(this.hints)) return;
    this.hints = hints;
    this.element.hidden = hints.length === 0;
    replace(
      this.element,
      h('h2', {}, icon('lightbulb'), t('Hints')),
      h('ul', {}, ...hints.map(hint => this.item(hint))),
    );
  }

  private item(hint: Hint): HTMLElement {
    const { title, sentence, evidence, rule } = hint;
    const [first] = evidence;
    const link = (text: string, click: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'link', on: { click } }, text);
    return h(
      'li',
      {},
      h('strong', {}, title),
      ' ',
      sentence,
      ' ',
      first !== undefined && link(t('Show an example'), () => this.listeners.open(first)),
      rule !== undefined && link(t('Open the rule {0}', modelLine(rule)), () => this.listeners.openRule(rule)),
      this.remembers && link(t('This is no problem'), () => this.dismiss(hint)),
    );
  }

  private dismiss(hint: Hint): void {
    const { id, rule } = hint;
    this.host
      .request('dismissHint', { folder: this.folder, id, ...(rule === undefined ? {} : { rule }) })
      .then(() => {
        this.show(this.hints.filter(one => one !== hint));
        // the button that had the keyboard is gone
        if (this.hints.length > 0) this.element.focus();
      })
      .catch(this.listeners.failed);
  }
}
