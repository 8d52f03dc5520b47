// What was recorded of one token: how likely it was, and what else could have stood there.

import type { TokenAlternative, TokenFigures } from '../../src/protocol/query';
import { h, icon, replace } from '../dom';
import { modelLine } from '../model-text';
import { figure, finePercent, signed, t } from '../words';
import type { AlternativesHere } from './alternatives';
import { TokenTable } from './token-table';
import { figuresOf, type TokenPiece, type TokenPieces } from './tokens';

export interface TokenActions {
  readonly choose: (piece: number) => void;
  /** Go on from before this token, with another in its place where one is given. */
  readonly branch: (token: number, force: { readonly id: number; readonly text: string | null } | undefined) => void;
}

export class TokenPanel {
  readonly element = h('section', { class: 'token-panel', 'aria-labelledby': 'token-title' });
  private readonly here = h('div');
  private readonly tableSlot = h('div');
  private table: TokenTable | undefined;
  private shown: number | undefined;
  /** The table was asked for last, and stays in sight when what stands above it grows. */
  private tableInSight = false;

  constructor(
    private readonly tokens: TokenFigures | null,
    private readonly pieces: TokenPieces,
    private readonly completion: string,
    private readonly alternatives: (token: number) => AlternativesHere,
    private readonly does: TokenActions,
  ) {
    this.element.append(h('h2', { id: 'token-title' }, t('Tokens')), this.here, this.tableSlot);
    if (tokens === null || pieces.length === 0) {
      const nothing = completion === '' && tokens !== null && tokens.ids.length === 0;
      const why = nothing ? t('No token was written.') : t('Tokens were not recorded in this file.');
      replace(this.here, h('p', { class: 'missing' }, why));
    }
  }

  /** @param range the pieces of the step: first, and one behind the last */
  show(piece: number | undefined, range: readonly [number, number], showTable: boolean): void {
    const { tokens } = this;
    if (tokens === null || this.pieces.length === 0) return;
    this.shown = piece;
    this.tableInSight = false;
    const at = piece === undefined ? undefined : this.pieces.at(piece);
    replace(
      this.here,
      at === undefined
        ? h('p', { class: 'missing' }, t('→ steps into the tokens of this step.'))
        : this.oneToken(tokens, at),
    );
    if (!showTable) {
      this.table = undefined;
      replace(this.tableSlot);
      return;
    }
    if (this.table?.shows(piece ?? range[0], range) !== true) {
      const { choose } = this.does;
      this.table = new TokenTable(tokens, this.pieces, range, piece ?? range[0], one => this.text(one), choose);
      replace(this.tableSlot, this.table.element);
    }
    this.table.mark(at);
  }

  /** The table stands below the figures of the token, and may be out of sight. */
  revealTable(): void {
    this.tableInSight = true;
    this.table?.element.scrollIntoView({ block: 'nearest' });
  }

  /** Alternatives that were awaited are there. */
  refresh(): void {
    const at = this.shown === undefined ? undefined : this.pieces.at(this.shown);
    if (at !== undefined && this.tokens !== null) replace(this.here, this.oneToken(this.tokens, at));
    if (this.tableInSight) this.revealTable();
  }

  private text(piece: TokenPiece | undefined): string {
    if (piece === undefined) return '';
    const text = this.completion.slice(piece.start, piece.end);
    return text === '' ? t('end of the completion') : `“${modelLine(text).replaceAll(' ', '·')}”`;
  }

  private oneToken(tokens: TokenFigures, piece: TokenPiece): HTMLElement {
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

  private figures(tokens: TokenFigures, index: number): HTMLElement {
    const { id, probability, logprob, trainLogprob, entropy, logRatio } = figuresOf(tokens, index);
    const alternatives = this.alternatives(index);
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
        ...entry(t('Probability'), probability === null ? undefined : finePercent(probability)),
        ...entry(t('Entropy'), entropy === null ? undefined : t('{0} nats', figure(entropy))),
        ...entry(t('Log-ratio to the reference'), logRatio === null ? undefined : signed(logRatio)),
        ...entry(t('Training less generation'), drift),
        ...entry(t('Id'), String(id)),
      ),
      h('h3', {}, t('What else could have stood here')),
      alternatives === 'not-recorded'
        ? h('p', { class: 'missing' }, t('Alternatives were not recorded.'))
        : alternatives === 'awaited'
          ? h('p', { class: 'missing' }, t('Looking…'))
          : h('ul', { class: 'alternatives' }, ...alternatives.map(one => this.alternative(index, id, one))),
      h(
        'button',
        { type: 'button', class: 'link', on: { click: () => this.does.branch(index, undefined) } },
        icon('cut'),
        t('Cut here and go on'),
      ),
    );
  }

  private alternative(index: number, chosen: number, { id, text, logprob }: TokenAlternative): HTMLElement {
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
      h('span', { class: 'alternative-figure' }, finePercent(probability)),
      id === chosen
        ? h('span', { class: 'alternative-note' }, t('written'))
        : h(
            'button',
            {
              type: 'button',
              class: 'link',
              'aria-label': t('Try {0} instead', name),
              on: { click: () => this.does.branch(index, { id, text }) },
            },
            t('Try'),
          ),
    );
  }
}
