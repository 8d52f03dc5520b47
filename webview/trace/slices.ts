// Work that may wait, cut so that no frame of a page that is stepped through waits for it.

/** Of a frame of 16.7 ms, which has a key to do as well; to lay out what was made takes three times as long. */
const sliceMs = 1.5;
/** Of time that nobody else wants. */
const idleMs = 4;

/** Numbered pieces of work, some before each frame. */
export class InSlices {
  private readonly waiting = new Set<number>();
  private asked: number | undefined;

  constructor(private readonly work: (piece: number) => void) {}

  add(piece: number): void {
    this.waiting.add(piece);
    this.asked ??= requestAnimationFrame(() => this.slice());
  }

  stop(): void {
    this.waiting.clear();
    if (this.asked !== undefined) cancelAnimationFrame(this.asked);
  }

  private slice(): void {
    const until = performance.now() + sliceMs;
    for (const piece of this.waiting) {
      this.waiting.delete(piece);
      this.work(piece);
      if (performance.now() >= until) break;
    }
    this.asked = this.waiting.size === 0 ? undefined : requestAnimationFrame(() => this.slice());
  }
}

/**
 * While there is nothing else to do.
 * @param work one piece of it; whether there is more
 * @returns breaks it off
 */
export function whenIdle(work: () => boolean): () => void {
  const go = (deadline: IdleDeadline): void => {
    const until = performance.now() + idleMs;
    while (work())
      if (performance.now() >= until || deadline.timeRemaining() < 1) {
        asked = requestIdleCallback(go);
        return;
      }
  };
  let asked = requestIdleCallback(go);
  return () => cancelIdleCallback(asked);
}

/** Once the frame that is made now has been drawn. */
export function afterFrame(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work));
}
