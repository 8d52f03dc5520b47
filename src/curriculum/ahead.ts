// Decodes the images of the next step while this one trains, in a thread of their own (src/rollout/image-thread.ts), so
// that no step has to wait for its images. Bounded: one step ahead, few files at a time, and half of the pixels that are kept.

import type { Prompter } from '../rollout/prompter';
import type { PhaseOrder, Shown } from './order';

/** Files that are decoded at a time. */
const PARALLEL = 2;

/** Half of what the prompter keeps: what is decoded ahead must not push out what the step needs now. */
const AHEAD_BYTES = 256 * 1024 * 1024;

export class StepsAhead {
  private next: { readonly step: number; readonly shown: readonly Shown[] } | undefined;

  constructor(
    private readonly order: PhaseOrder,
    private readonly prompter: Prompter,
  ) {}

  /** The prompts of a step; those of the step after it are made ready from now on. */
  take(step: number): readonly Shown[] {
    const shown = this.next?.step === step ? this.next.shown : this.order.shown(step);
    this.next = undefined;
    if (step + 1 < this.order.steps) {
      const after = this.order.shown(step + 1);
      this.next = { step: step + 1, shown: after };
      void this.decode(shown, after);
    }
    return shown;
  }

  private async decode(now: readonly Shown[], after: readonly Shown[]): Promise<void> {
    const files = (shown: readonly Shown[]) => shown.flatMap(s => (s.view === 'text' ? [] : s.example.images));
    const own = new Set(files(now));
    // this step's own come first
    await Promise.all([...own].map(file => this.decoded(file)));
    const queue = [...new Set(files(after))].filter(file => !own.has(file));
    let bytes = 0;
    const worker = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined && bytes < AHEAD_BYTES; file = queue.shift())
        bytes += await this.decoded(file);
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  /** @returns bytes. An image that cannot be decoded fails the step that shows it, not the one before. */
  private decoded(file: string): Promise<number> {
    return this.prompter.image(file).then(
      ({ values }) => values.byteLength,
      () => 0,
    );
  }
}
