// The events of a run that count now: as the log grows, what was read before is not read again.

import type { RunEvent } from '../../protocol/run';
import { currentEvents } from '../../run/event-log';
import { EventTail } from '../../run/event-tail';

export class CurrentEvents {
  private readonly all: RunEvent[] = [];
  private current: readonly RunEvent[] | undefined;
  private readonly tail: EventTail;

  constructor(folder: string) {
    this.tail = new EventTail(folder, {
      take: event => {
        this.all.push(event);
        this.current = undefined;
      },
      startOver: () => {
        this.all.length = 0;
        this.current = undefined;
      },
    });
  }

  async read(): Promise<readonly RunEvent[]> {
    await this.tail.read();
    this.current ??= currentEvents(this.all);
    return this.current;
  }
}
