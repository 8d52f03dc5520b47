// The cards of the dashboard: one for each figure that there is, in the order of the figures, each with what the person has
// hidden in it and whether its numbers are shown.

import { Card } from '../components/card';
import type { Figure } from '../components/figure';
import type { SharedAxis } from '../components/shared-axis';
import { h } from '../dom';
import type { ThemeColors } from '../theme';

export interface CardLooks {
  /** Lines, by figure. */
  readonly hidden?: Readonly<Record<string, readonly string[]>>;
  /** Figures whose numbers are shown. */
  readonly numbers?: readonly string[];
}

export interface CardGridListeners {
  readonly choose: (step: number, run: number) => void;
  readonly save: (name: string, content: { readonly text: string } | { readonly base64: string }) => void;
  readonly changed: () => void;
}

export class CardGrid {
  readonly element = h('div', { class: 'cards' });
  private readonly cards = new Map<string, Card>();

  /** @param kept how cards are when they come for the first time */
  constructor(
    private readonly axis: SharedAxis,
    private readonly kept: CardLooks,
    private readonly listeners: CardGridListeners,
  ) {}

  draw(figures: readonly Figure[], theme: ThemeColors, runNames: readonly string[]): void {
    const { cards, element } = this;
    for (const [id, card] of cards) {
      if (figures.some(figure => figure.id === id)) continue;
      card.destroy();
      cards.delete(id);
    }
    for (const figure of figures) {
      const card = cards.get(figure.id) ?? this.make(figure, theme, runNames);
      // in the page first: a chart is as wide as its place
      if (!card.element.isConnected) element.append(card.element);
      card.update(figure, theme, runNames);
    }
    const order = figures.map(({ id }) => cards.get(id)?.element as HTMLElement);
    if (order.some((card, i) => element.children[i] !== card)) element.append(...order);
  }

  showCursor(): void {
    for (const card of this.cards.values()) card.showCursor();
  }

  /** What is kept of them for the next time. */
  get looks(): CardLooks {
    const cards = [...this.cards];
    return {
      hidden: Object.fromEntries(cards.map(([id, card]) => [id, [...card.hidden]])),
      numbers: cards.filter(([, card]) => card.showsNumbers).map(([id]) => id),
    };
  }

  private make(figure: Figure, theme: ThemeColors, runNames: readonly string[]): Card {
    const { hidden, numbers } = this.kept;
    const card = new Card(
      figure,
      this.axis,
      theme,
      runNames,
      new Set(hidden?.[figure.id]),
      numbers?.includes(figure.id) === true,
      this.listeners,
    );
    this.cards.set(figure.id, card);
    return card;
  }
}
