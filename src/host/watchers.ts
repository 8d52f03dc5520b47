// Who looks at a run: any number of clients, of which one at most controls it.

import { TriphaseError } from '../protocol/errors';
import type { Watcher } from '../protocol/host';

/** So long a name fits into a sentence. */
const longestName = 100;

export class Watchers {
  private readonly known = new Map<number, Omit<Watcher, 'controls'>>();
  private controller: number | undefined;
  private count = 0;

  /** @param changed told of whoever comes, goes or takes control */
  constructor(private readonly changed: (list: readonly Watcher[]) => void) {}

  get list(): readonly Watcher[] {
    return [...this.known.values()].map(watcher => ({ ...watcher, controls: watcher.id === this.controller }));
  }

  add(name: string, wantsControl: boolean): number {
    this.count += 1;
    const id = this.count;
    this.known.set(id, { id, name: name.slice(0, longestName), since: new Date().toISOString() });
    if (wantsControl) this.controller ??= id;
    this.changed(this.list);
    return id;
  }

  remove(id: number): void {
    if (!this.known.delete(id)) return;
    if (this.controller === id) this.controller = undefined;
    this.changed(this.list);
  }

  takeControl(id: number): void {
    if (this.controller === id) return;
    this.controller = id;
    this.changed(this.list);
  }

  /** Whoever asks while nobody controls the run controls it from then on; while another one does, it is an error. */
  mayControl(id: number): void {
    const other = this.controller === undefined ? undefined : this.known.get(this.controller);
    if (other === undefined) this.takeControl(id);
    else if (other.id !== id) {
      throw new TriphaseError(
        'denied',
        `The run is controlled by ${other.name}.`,
        'Take control of it first (on the command line: --take-control).',
      );
    }
  }
}
