// Which completion is written in which row of a batch on a device, and which ones wait. Rows lie by place, as many for each:
// those of a place share the prompt that is there.

import { Batch, type Kept } from './batch';

/** A layout anew copies all keys and values; it is made when at least this share of the rows would begin a completion. */
const WORTH_MOVING = 0.25;

type Ended = (completion: number) => boolean;

/** How many prompts there is a place for at a time, and rows of each. */
export interface Room {
  readonly places: number;
  readonly group: number;
}

/**
 * Room for so many completions at a time. All prompts have a place where two rows for each are left then, so that few rows
 * are without work at the end; no more than a group at a time is one prompt after the other, which takes the least memory.
 */
export function roomFor(atOnce: number, prompts: number, samples: number): Room {
  if (atOnce <= samples) return { places: 1, group: Math.max(1, atOnce) };
  const group = Math.min(samples, Math.max(2, Math.floor(atOnce / prompts)));
  return { places: Math.min(prompts, Math.floor(atOnce / group)), group };
}

export class Places {
  readonly batch: Batch;
  /** By prompt, completions that have not begun. */
  private readonly waiting: number[][];

  /** @param group rows of a place; more completions than that wait */
  constructor(prompts: number, samples: number, group: number) {
    this.batch = new Batch(prompts, group, samples);
    this.waiting = Array.from({ length: prompts }, (_, b) =>
      Array.from({ length: samples - group }, (_, i) => b * samples + group + i),
    );
  }

  /** Rows whose completions have ended go to others of the same prompt. */
  fill(ended: Ended): void {
    const { batch } = this;
    batch.completions.forEach((completion, row) => {
      if (!ended(completion)) return;
      const next = this.waiting[this.promptOf(row)]?.shift();
      if (next !== undefined) batch.put(row, next);
    });
  }

  /**
   * Another layout in which rows that nobody of their prompt needs have work again, at a place for a prompt that has one
   * already; or, where nobody waits, a smaller one. undefined: it stays.
   *
   * @param share of rows that have to go for a smaller one; 0: never
   * @param least rows a prompt keeps then
   */
  moved(ended: Ended, share: number, least: number): Kept | undefined {
    const { batch } = this;
    const rows = batch.completions.length;
    const idle = batch.completions.filter(ended).length;
    if (this.waiting.some(w => w.length > 0)) return idle < WORTH_MOVING * rows ? undefined : this.shared(ended);
    if (share === 0 || idle === 0) return undefined;
    const kept = batch.without(ended, least);
    return kept.rows.length > (1 - share) * rows ? undefined : kept;
  }

  /** The same number of places, those without work given to the prompts of which the most completions wait. */
  private shared(ended: Ended): Kept | undefined {
    const { batch, waiting } = this;
    const { group } = batch;
    const going = new Map<number, number[]>();
    batch.completions.forEach((completion, row) => {
      if (ended(completion)) return;
      const prompt = this.promptOf(row);
      going.set(prompt, [...(going.get(prompt) ?? []), row]);
    });
    const places = new Map([...going].map(([prompt, rows]) => [prompt, Math.ceil(rows.length / group)]));
    const room = (prompt: number): number =>
      (places.get(prompt) as number) * group - (going.get(prompt) as number[]).length;
    const lacks = (prompt: number): number => (waiting[prompt]?.length ?? 0) - room(prompt);
    let free = batch.prompts.length - [...places.values()].reduce((n, p) => n + p, 0);
    for (; free > 0; free--) {
      const neediest = [...places.keys()].reduce((a, b) => (lacks(b) > lacks(a) ? b : a));
      places.set(neediest, (places.get(neediest) as number) + 1);
    }
    const begins = [...places.keys()].reduce((n, p) => n + Math.min(room(p), waiting[p]?.length ?? 0), 0);
    if (begins < WORTH_MOVING * batch.completions.length) return undefined;
    const idle = batch.completions.findIndex(ended);
    const prompts: number[] = [];
    const rows: number[] = [];
    for (const [prompt, count] of places) {
      const own = going.get(prompt) as number[];
      for (let i = 0; i < count; i++) prompts.push(batch.prompts.indexOf(prompt));
      for (let i = 0; i < count * group; i++) rows.push(own[i] ?? idle);
    }
    return { prompts, group, rows };
  }

  private promptOf(row: number): number {
    return this.batch.prompts[Math.floor(row / this.batch.group)] as number;
  }
}
