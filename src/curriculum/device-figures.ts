// What a run holds on its device, and how busy that is, as figures of a step.

import type { Model } from '../model/model';
import { heldOnDevice } from '../tensor/device-tensor';
import { type GraphicsCard, graphicsCards } from '../tensor/graphics-cards';

/** The driver is a program of its own to ask: seconds between two questions. */
const PAUSE = 10;

let asked = { at: Number.NEGATIVE_INFINITY, cards: [] as readonly GraphicsCard[] };

/** No figures on a device that keeps nothing. With several cards those of the first: WebGPU does not say which it took. */
export async function deviceFigures({ resident }: Model): Promise<Readonly<Record<string, number>>> {
  if (!resident) return {};
  const now = performance.now() / 1000;
  // a machine without such a card is asked once
  if (now - asked.at > PAUSE && (asked.cards.length > 0 || !Number.isFinite(asked.at)))
    asked = { at: now, cards: await graphicsCards() };
  const [card] = asked.cards;
  return {
    'device/held_gib': heldOnDevice().bytes / 2 ** 30,
    ...(card === undefined ? {} : { 'device/used_gib': card.usedMiB / 1024, 'device/busy': card.busy }),
  };
}
