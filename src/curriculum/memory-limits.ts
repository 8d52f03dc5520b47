// Where memory was short, fewer prompts run together from that step on. It is the one thing in a run that may change
// rounding, so it is in the log, and an attempt that does the same steps again does them with the same numbers.

import type { MicroBatch } from '../protocol/run';
import { type Halved, Together } from '../tensor/together';
import type { JobEvent } from './job';

/** Of an earlier attempt. */
export interface RememberedLimit extends MicroBatch {
  /** The event counts no longer, as its step is done again: it is told of once more. */
  readonly replayed: boolean;
}

export class MemoryLimits {
  readonly update = this.together('update');
  readonly generation = this.together('generation');
  readonly evaluation = this.together('evaluation');
  private step = 0;
  private waiting: readonly RememberedLimit[];

  constructor(
    remembered: readonly RememberedLimit[],
    private readonly emit: (event: JobEvent) => void,
  ) {
    this.waiting = remembered;
  }

  /** A step begins, or an evaluation after it. */
  at(step: number): void {
    this.step = step;
    for (const { replayed, ...limit } of this.waiting.filter(one => one.step <= step)) {
      this[limit.part].limit(limit.prompts);
      if (replayed) this.emit({ kind: 'micro-batch', ...limit });
    }
    this.waiting = this.waiting.filter(one => one.step > step);
  }

  private together(part: MicroBatch['part']): Together {
    return new Together((halved: Halved) => this.emit({ kind: 'micro-batch', part, step: this.step, ...halved }));
  }
}
