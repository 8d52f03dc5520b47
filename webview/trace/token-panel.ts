// What was recorded of one token: how likely it was, what else could have stood there, and the same of all tokens of the
// step as a table.

import type { TokenRecord } from '../../src/protocol/query';
import { h, icon, replace } from '../dom';
import { modelLine } from '../model-text';
import { figure, percent, signed, t } from '../words';
import { figuresOf, type TokenPiece } from './tokens';

export interface TokenActions {
  readonly choose: (piece: number) => void;
  /** Go on from before this token, with another in its place where one is given. */
  readonly branch: (token: number, force: { readonly id: number; readonly text: string | null } | undefined) => void;
}

export class TokenPanel {
  readonly element = h('section', { class: 'token-panel', 'aria-labelledby': 'token-title' });
  private tableShown = false;

  constructor(
    private readonly tokens: TokenRecord | null,
    private readonly pieces: readonly TokenPiece[],
    private readonly completion: string,
    private readonly canBranch: boolean,
    private readonly does: TokenActions,
  ) {}

  get showsTable(): boolean {
    return this.tableShown;
  }

  /** @param range the pieces of the step: first, and one behind the last */
  show(piece: number | undefined, range: readonly [number, number], showTable: boolean): void {
    this.tableShown = showTable;
    const title = h('h2', { id: 'token-title' }, t('Tokens'));
    if (this.tokens === null || this.pieces.length === 0) {
      replace(this.element, title, h('p', { class: 'missing' }, t('Tokens were not recorded in this file.')));
      return;
    }
    const at = piece === undefined ? undefined : this.pieces[piece];
    replace(
      this.element,
      title,
      at === undefined
        ? h('p', { class: 'missing' }, t('→ steps into the tokens of this step.'))
        : this.oneToken(this.tokens, at),
      showTable && this.table(this.tokens, range, piece),
    );
  }

  private text(piece: TokenPiece | undefined): string {
    if (piece === undefined) return '';
    const text = this.completion.slice(piece.start, piece.end);
    return text === '' ? t('end of the completion') : `“${modelLine(text).replaceAll(' ', '·')}”`;
  }

  private oneToken(tokens: TokenRecord, piece: TokenPiece): HTMLElement {
    const many = piece.last > piece.first;
    return h(
      'div',
      {},
      h(
        'p',
        { class: 'token-name', role: 'status', 'aria-live': 'polite' },
        h('span', { class: 'token-text model-text' }, this.text(piece)),
        ' ',
        many
          ? t('tokens {0} to {1} of {2}', piece.first + 1, piece.last + 1, tokens.ids.length)
          : t('token {0} of {1}', piece.first + 1, tokens.ids.length),
      ),
      ...Array.from({ length: piece.last - piece.first + 1 }, (_, i) => this.figures(tokens, piece.first + i)),
    );
  }

  private figures(tokens: TokenRecord, index: number): HTMLElement {
    const { id, probability, logprob, trainLogprob, entropy, logRatio, alternatives } = figuresOf(tokens, index);
    const entry = (name: string, value: string | undefined): readonly HTMLElement[] => [
      h('dt', {}, name),
      value === undefined ? h('dd', { class: 'missing' }, t('not recorded')) : h('dd', {}, value),
    ];
    const drift = logprob === null || trainLogprob === null ? undefined : signed(trainLogprob - logprob);
    return h(
      'div',
      {},
      h(
        'dl',
        { class: 'figures' },
        ...entry(t('Probability'), probability === null ? undefined : percent(probability)),
        ...entry(t('Entropy'), entropy === null ? undefined : t('{0} nats', figure(entropy))),
        ...entry(t('Log-ratio to the reference'), logRatio === null ? undefined : signed(logRatio)),
        ...entry(t('Training less generation'), drift),
        ...entry(t('Id'), String(id)),
      ),
      h('h3', {}, t('What else could have stood here')),
      alternatives === null
        ? h('p', { class: 'missing' }, t('Alternatives were not recorded.'))
        : h(
            'ul',
            { class: 'alternatives' },
            ...alternatives.map(alternative => this.alternative(index, id, alternative)),
          ),
      this.canBranch &&
        h(
          'button',
          { type: 'button', class: 'link', on: { click: () => this.does.branch(index, undefined) } },
          icon('cut'),
          t('Cut here and go on'),
        ),
    );
  }

  private alternative(
    index: number,
    chosen: number,
    { id, text, logprob }: { readonly id: number; readonly text: string | null; readonly logprob: number },
  ): HTMLElement {
    const probability = Math.exp(logprob);
    const bar = h('meter', { min: 0, max: 1, value: probability, 'aria-hidden': 'true' });
    // a token may be a part of a character, which is no text
    const name =
      text === null || text.includes('\ufffd') ? t('token {0}', id) : `“${modelLine(text, 40).replaceAll(' ', '·')}”`;
    return h(
      'li',
      { class: id === chosen ? 'chosen' : undefined },
      h('span', { class: 'alternative-text model-text' }, name),
      bar,
      h('span', { class: 'alternative-figure' }, percent(probability)),
      id === chosen
        ? h('span', { class: 'alternative-note' }, t('written'))
        : this.canBranch
          ? h(
              'button',
              {
                type: 'button',
                class: 'link',
                'aria-label': t('Try {0} instead', name),
                on: { click: () => this.does.branch(index, { id, text }) },
              },
              t('Try'),
            )
          : undefined,
    );
  }

  private table(tokens: TokenRecord, [from, to]: readonly [number, number], current: number | undefined): HTMLElement {
    // a step of thousands of tokens is a table that nobody reads
    const shown = Math.min(to, from + 200);
    const rows = Array.from({ length: Math.max(0, shown - from) }, (_, i) => from + i);
    return h(
      'div',
      { class: 'token-table', tabindex: 0, role: 'region', 'aria-label': t('Figures of the tokens of this step') },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...[t('Token'), t('Text'), t('Probability'), t('Entropy'), t('Log-ratio')].map(name =>
              h('th', { scope: 'col' }, name),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          ...rows.map(piece => {
            const at = this.pieces[piece];
            const figures = figuresOf(tokens, at?.first ?? 0);
            return h(
              'tr',
              { class: piece === current ? 'current' : undefined, on: { click: () => this.does.choose(piece) } },
              h('td', {}, String((at?.first ?? 0) + 1)),
              h('td', { class: 'model-text' }, this.text(at)),
              h('td', {}, percent(figures.probability)),
              h('td', {}, figure(figures.entropy)),
              h('td', {}, figures.logRatio === null ? '–' : signed(figures.logRatio)),
            );
          }),
        ),
      ),
      shown < to && h('p', { class: 'missing' }, t('and {0} more', to - shown)),
    );
  }
}
