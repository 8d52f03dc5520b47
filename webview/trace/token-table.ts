// The figures of the tokens of one step as a table. It is made once for a step; as one goes through its tokens only the
// mark of the current row moves.

import type { TokenFigures } from '../../src/protocol/query';
import { h } from '../dom';
import { figure, percent, signed, t } from '../words';
import { figuresOf, type TokenPiece, type TokenPieces } from './tokens';

/** A step of thousands of tokens is a table that nobody reads. */
const mostRows = 200;

export class TokenTable {
  readonly element: HTMLElement;
  private readonly rows: readonly HTMLElement[];
  private readonly from: number;

  /** @param range pieces: first, and one behind the last; of more than are shown, those around `at` */
  constructor(
    tokens: TokenFigures,
    pieces: TokenPieces,
    readonly range: readonly [number, number],
    at: number,
    text: (piece: TokenPiece) => string,
    choose: (piece: number) => void,
  ) {
    const [first, beyond] = range;
    this.from = Math.max(first, Math.min(at - (mostRows >> 1), beyond - mostRows));
    const to = Math.min(beyond, this.from + mostRows);
    const rows: HTMLElement[] = [];
    for (let at = this.from; at < to; at++) {
      const piece = pieces.at(at);
      if (piece !== undefined) rows.push(...rowsOf(tokens, piece, text(piece), () => choose(at)));
    }
    this.rows = rows;
    const head = [t('Token'), t('Text'), t('Probability'), t('Entropy'), t('Log-ratio')];
    this.element = h(
      'div',
      { class: 'token-table', tabindex: 0, role: 'region', 'aria-label': t('Figures of the tokens of this step') },
      this.from > first && h('p', { class: 'missing' }, t('{0} before these', this.from - first)),
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...head.map(name => h('th', { scope: 'col' }, name)))),
        h('tbody', {}, ...this.rows),
      ),
      to < beyond && h('p', { class: 'missing' }, t('and {0} more', beyond - to)),
    );
  }

  /** Whether the piece is among those that are shown. */
  shows(piece: number, [first, beyond]: readonly [number, number]): boolean {
    const isSame = this.range[0] === first && this.range[1] === beyond;
    return isSame && piece >= this.from && piece < this.from + mostRows;
  }

  /** The piece that is looked at; undefined: none. */
  mark(piece: TokenPiece | undefined): void {
    for (const row of this.element.querySelectorAll('.current')) {
      row.classList.remove('current');
      row.removeAttribute('aria-current');
    }
    if (piece === undefined) return;
    const first = this.rows.findIndex(row => row.dataset['token'] === String(piece.first));
    for (const row of this.rows.slice(Math.max(0, first), Math.max(0, first) + piece.last - piece.first + 1)) {
      row.classList.add('current');
      row.setAttribute('aria-current', 'true');
    }
    // within the table alone: the view itself stays where it is
    const row = this.rows[first];
    if (row === undefined) return;
    const { scrollTop, clientHeight } = this.element;
    if (row.offsetTop < scrollTop) this.element.scrollTop = row.offsetTop;
    else if (row.offsetTop + row.offsetHeight > scrollTop + clientHeight)
      this.element.scrollTop = row.offsetTop + row.offsetHeight - clientHeight;
  }
}

/** One for each token: a character may be spread over several, each with figures of its own. */
function rowsOf(
  tokens: TokenFigures,
  { first, last }: TokenPiece,
  text: string,
  choose: () => void,
): readonly HTMLElement[] {
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const { probability, entropy, logRatio } = figuresOf(tokens, first + i);
    const cell = (value: string | undefined): HTMLElement =>
      value === undefined ? h('td', { class: 'missing', title: t('not recorded') }, '–') : h('td', {}, value);
    return h(
      'tr',
      { 'data-token': first + i, on: { click: choose } },
      h('td', {}, String(first + i + 1)),
      h(
        'td',
        { class: 'model-text' },
        last === first ? text : t('{0}, part {1} of {2}', text, i + 1, last - first + 1),
      ),
      cell(probability === null ? undefined : percent(probability)),
      cell(entropy === null ? undefined : figure(entropy)),
      cell(logRatio === null ? undefined : signed(logRatio)),
    );
  });
}
