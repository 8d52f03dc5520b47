// How many prompts run through a graph together: as many as are asked for, and half as many, for good, when the memory
// does not suffice. Sums come out the same but for rounding, as other shapes are multiplied.

import { TriphaseError } from '../protocol/errors';

export interface Halved {
  readonly before: number;
  readonly prompts: number;
  /** In the words of the runtime. */
  readonly why: string;
}

export class Together {
  private most = Number.POSITIVE_INFINITY;

  constructor(private readonly halved: (change: Halved) => void) {}

  limit(prompts: number): void {
    this.most = Math.min(this.most, prompts);
  }

  /**
   * @param work is done again from its beginning, with fewer prompts a run, until it fits; it changes nothing before
   * @param free gives back what was taken for the larger runs
   */
  async fitting<T>(prompts: number, work: (prompts: number) => Promise<T>, free: () => Promise<void>): Promise<T> {
    for (;;) {
      const size = Math.min(prompts, this.most);
      try {
        return await work(size);
      } catch (error) {
        if (!(error instanceof TriphaseError && error.code === 'memory') || size < 2) throw error;
        this.most = Math.floor(size / 2);
        await free();
        this.halved({ before: size, prompts: this.most, why: error.message });
      }
    }
  }
}
