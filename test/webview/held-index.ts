// Stands before the query process: holds what is asked of a run as if its rollouts were read for the first time, so that a
// view can be looked at meanwhile.

import type { QuestionName } from '../../src/protocol/query';
import type { ViewsOptions } from './in-chromium';

export class HeldIndex {
  private release: (() => void) | undefined;
  private held: Promise<void> | undefined;
  private folder = '';
  /** Resolves when what is held is not asked any more. */
  readonly givenUp: Promise<void>;
  private giveUp: () => void = () => {};

  /** @param question what the view asks first */
  constructor(private readonly question: QuestionName = 'summary') {
    this.givenUp = new Promise(resolve => {
      this.giveUp = resolve;
    });
  }

  readonly instead: NonNullable<ViewsOptions['instead']> = (name, params, wishes, asUsual) => {
    const { folder } = params as { readonly folder?: string };
    if (name !== this.question || this.held === undefined || folder !== this.folder) return undefined;
    wishes.onIndexing?.({ folder, files: 300, ofFiles: 1200, rollouts: 4800 });
    wishes.signal.addEventListener('abort', this.giveUp);
    return this.held.then(() => asUsual(name, params, wishes));
  };

  hold(folder: string): void {
    this.folder = folder;
    this.held = new Promise(resolve => {
      this.release = resolve;
    });
  }

  go(): void {
    this.release?.();
    this.held = undefined;
  }
}
