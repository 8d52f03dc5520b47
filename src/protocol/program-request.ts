// What a program of ours is asked over its standard streams, by JSON-RPC: a request, its answer, and what is told
// meanwhile.

import { ProgressType, RequestType } from 'vscode-jsonrpc';
import type { ErrorRecord } from './error-record';

export interface Asked<P> {
  readonly params: P;
  /** What is told meanwhile is sent under this number, where somebody listens. */
  readonly to?: number;
}

/** Asked with P, answered with R; before the answer, any number of T. */
export class ProgramRequest<P, R, T = never> {
  readonly type: RequestType<Asked<P>, R, ErrorRecord>;
  readonly progress = new ProgressType<T>();

  constructor(method: string) {
    this.type = new RequestType(method);
  }
}
