// What else could have stood at a token, asked for page by page: of a long completion it is many times as much as the rest
// of it. What was asked for stays.

import type { RolloutRef, TokenAlternative } from '../../src/protocol/query';
import { type Host, isAbort } from '../host';

/** `awaited`: it is on its way. */
export type AlternativesHere = readonly TokenAlternative[] | 'not-recorded' | 'awaited';

const page = 512;

export class Alternatives {
  private readonly pages = new Map<number, readonly (readonly TokenAlternative[])[] | 'awaited'>();
  private recorded = true;
  private readonly closed = new AbortController();

  /** @param arrived what was awaited is there */
  constructor(
    private readonly host: Host,
    private readonly folder: string,
    private readonly ref: RolloutRef,
    private readonly arrived: () => void,
  ) {}

  of(token: number): AlternativesHere {
    if (!this.recorded) return 'not-recorded';
    const number = Math.floor(token / page);
    const known = this.pages.get(number) ?? this.ask(number);
    return known === 'awaited' ? known : (known[token - number * page] ?? []);
  }

  /** The completion is no longer looked at. */
  close(): void {
    this.closed.abort();
  }

  private ask(number: number): 'awaited' {
    this.pages.set(number, 'awaited');
    const { folder, ref } = this;
    this.host
      .request(
        'alternatives',
        { folder, ref, from: number * page, to: (number + 1) * page },
        { signal: this.closed.signal },
      )
      .then(found => {
        if (found === null) this.recorded = false;
        else this.pages.set(number, found);
        this.arrived();
      })
      .catch(error => {
        // asked for again when it is looked at again
        if (!isAbort(error)) this.pages.delete(number);
      });
    return 'awaited';
  }
}
