// The rollouts that a selection means, a page at a time: what is in sight is asked for, what is not is let go.

import type { RolloutRow, RolloutsPage, RolloutsParams, SearchHits } from '../../src/protocol/query';
import type { Host } from '../host';
import { isAbort } from '../host';

/** Rows that stand together: a group, or one row alone. */
export type Unit = readonly RolloutRow[];

export type Asked = Omit<RolloutsParams, 'offset' | 'limit'>;

const mostKept = 24;

export interface PageListeners {
  readonly arrived: (firstUnit: number, units: readonly Unit[]) => void;
  /** The first page is there: how many there are. */
  readonly counted: (page: Pick<RolloutsPage, 'total' | 'groups'>) => void;
  readonly hits: (hits: SearchHits) => void;
  readonly failed: (error: unknown) => void;
}

export class Pages {
  private readonly kept = new Map<number, readonly Unit[]>();
  private readonly asking = new Map<number, AbortController>();
  private readonly size: number;
  private closed = false;
  units = 0;
  total = 0;

  constructor(
    private readonly host: Host,
    readonly asked: Asked,
    private readonly listeners: PageListeners,
  ) {
    this.size = asked.byGroup === true ? 30 : 120;
    this.ask(0);
  }

  unit(index: number): Unit | undefined {
    const page = Math.floor(index / this.size);
    return this.kept.get(page)?.[index - page * this.size];
  }

  /** Asks for what is missing from `first` to `last`, and no longer for what lies elsewhere. */
  want(first: number, last: number): void {
    const [from, to] = [Math.floor(first / this.size), Math.floor(last / this.size)];
    for (const [page, controller] of this.asking)
      if (page !== 0 && (page < from - 1 || page > to + 1)) controller.abort();
    for (let page = from; page <= to; page++) this.ask(page);
  }

  close(): void {
    this.closed = true;
    for (const controller of this.asking.values()) controller.abort();
  }

  private ask(page: number): void {
    if (this.closed || this.kept.has(page) || this.asking.has(page)) return;
    const controller = new AbortController();
    this.asking.set(page, controller);
    const { listeners, size, asked } = this;
    this.host
      .request(
        'rollouts',
        { ...asked, offset: page * size, limit: size },
        { signal: controller.signal, ...(page === 0 ? { onHits: listeners.hits } : {}) },
      )
      .then(answer => {
        this.asking.delete(page);
        if (this.closed) return;
        const units = asked.byGroup === true ? groupsOf(answer.rows) : answer.rows.map(row => [row]);
        this.kept.set(page, units);
        const [oldest] = this.kept.keys();
        if (this.kept.size > mostKept && oldest !== undefined) this.kept.delete(oldest);
        if (page === 0) {
          this.total = answer.total;
          this.units = asked.byGroup === true ? answer.groups : answer.total;
          listeners.counted(answer);
        }
        listeners.arrived(page * size, units);
      })
      .catch(error => {
        this.asking.delete(page);
        if (!isAbort(error) && !this.closed) listeners.failed(error);
      });
  }
}

export function groupsOf(rows: readonly RolloutRow[]): readonly Unit[] {
  const groups: RolloutRow[][] = [];
  for (const row of rows) {
    const before = groups.at(-1)?.[0]?.ref;
    if (before !== undefined && before.step === row.ref.step && before.group === row.ref.group)
      groups.at(-1)?.push(row);
    else groups.push([row]);
  }
  return groups;
}
