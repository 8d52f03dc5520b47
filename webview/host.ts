// The view's side of what it and the extension say to each other (protocol/views.ts). Whoever shows the page gives it
// `acquireVsCodeApi`: VS Code, or the browser harness of the tests.

import type { ErrorRecord } from '../src/protocol/error-record';
import type { IndexingProgress, SearchHits } from '../src/protocol/query';
import type { RunState } from '../src/protocol/run-state';
import type { BranchNews } from '../src/protocol/session';
import type { RecomputeProgress, Tried } from '../src/protocol/trial';
import type { FromView, RequestName, Requests, ToView, ViewState } from '../src/protocol/views';

interface VsCodeApi {
  postMessage(message: FromView): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface Changed {
  readonly folder: string;
  readonly state?: RunState;
  readonly lastEvent: number;
}

export interface Wishes {
  /** Tells the other side to stop when the answer is no longer wanted; the promise then rejects with an AbortError. */
  readonly signal?: AbortSignal;
  /** First hits of a search that is still running. */
  readonly onHits?: (hits: SearchHits) => void;
  /** Of a run that is read for the first time. */
  readonly onIndexing?: (progress: IndexingProgress) => void;
  /** What continuations say so far, or what they wait for. */
  readonly onBranching?: (progress: BranchNews) => void;
  readonly onRecomputing?: (progress: RecomputeProgress) => void;
}

export interface Host {
  readonly strings: Readonly<Record<string, string>>;
  request<N extends RequestName>(
    name: N,
    params: Requests[N]['params'],
    wishes?: Wishes,
  ): Promise<Requests[N]['result']>;
  /** Keeps what the person looks at, for when the view is hidden or the window is closed. */
  keep(state: ViewState): void;
  /** The run has something new. A hidden view hears of it when it is shown again, and only once. */
  onChanged(listener: (changed: Changed) => void): void;
  onGo(listener: (state: ViewState) => void): void;
  /** Rules are typed in the editor beside. */
  onTried(listener: (folder: string, tried: Tried, running: boolean) => void): void;
}

/** A request was answered with an error. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  constructor(readonly record: ErrorRecord) {
    super(record.message);
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** So often at most the other side hears what is looked at. */
const looksMs = 50;

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly onHits: ((hits: SearchHits) => void) | undefined;
  readonly onIndexing: ((progress: IndexingProgress) => void) | undefined;
  readonly onBranching: ((progress: BranchNews) => void) | undefined;
  readonly onRecomputing: ((progress: RecomputeProgress) => void) | undefined;
}

/**
 * Says that the script runs, and waits for what to show. A state that this view kept itself is newer than the one that it
 * was opened with.
 */
export function connect(): Promise<{ readonly host: Host; readonly state: ViewState }> {
  const api = acquireVsCodeApi();
  const pending = new Map<number, Pending>();
  const changes = new Map<string, Changed>();
  let changed: ((changed: Changed) => void) | undefined;
  let go: ((state: ViewState) => void) | undefined;
  let tried: ((folder: string, tried: Tried, running: boolean) => void) | undefined;
  let nextId = 1;
  let looked: ViewState | undefined;
  let looking: ReturnType<typeof setTimeout> | undefined;

  const tellChanges = (): void => {
    if (document.hidden || changed === undefined) return;
    const told = [...changes.values()];
    changes.clear();
    for (const change of told) changed(change);
  };
  document.addEventListener('visibilitychange', tellChanges);

  const host = (strings: Readonly<Record<string, string>>): Host => ({
    strings,
    request: (name, params, { signal, onHits, onIndexing, onBranching, onRecomputing } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const id = nextId++;
        pending.set(id, { resolve, reject, onHits, onIndexing, onBranching, onRecomputing });
        signal?.addEventListener('abort', () => {
          if (!pending.delete(id)) return;
          api.postMessage({ kind: 'cancel', id });
          reject(signal.reason as Error);
        });
        api.postMessage({ kind: 'request', id, name, params });
      }),
    keep: state => {
      api.setState(state);
      looked = state;
      // a key that is held down changes it with every frame
      if (looking !== undefined) return;
      looking = setTimeout(() => {
        looking = undefined;
        if (looked !== undefined) api.postMessage({ kind: 'looks', state: looked });
      }, looksMs);
    },
    onTried: listener => {
      tried = listener;
    },
    onChanged: listener => {
      changed = listener;
      tellChanges();
    },
    onGo: listener => {
      go = listener;
    },
  });

  return new Promise(resolve => {
    window.addEventListener('message', ({ data }: MessageEvent<ToView>) => {
      switch (data.kind) {
        case 'init': {
          const kept = api.getState() as ViewState | undefined;
          const state = kept?.view === data.state.view ? kept : data.state;
          // a view that nobody touched comes back with its window as well
          api.setState(state);
          resolve({ host: host(data.strings), state });
          return;
        }
        case 'result':
          pending.get(data.id)?.resolve(data.result as never);
          pending.delete(data.id);
          return;
        case 'error':
          pending.get(data.id)?.reject(new RequestError(data.error));
          pending.delete(data.id);
          return;
        case 'hits':
          pending.get(data.id)?.onHits?.(data.hits);
          return;
        case 'indexing':
          pending.get(data.id)?.onIndexing?.(data.progress);
          return;
        case 'branching':
          pending.get(data.id)?.onBranching?.(data.progress);
          return;
        case 'recomputing':
          pending.get(data.id)?.onRecomputing?.(data.progress);
          return;
        case 'changed': {
          const { folder, lastEvent, state } = data;
          changes.set(folder, { folder, lastEvent, ...(state === undefined ? {} : { state }) });
          tellChanges();
          return;
        }
        case 'go':
          go?.(data.state);
          return;
        case 'tried':
          tried?.(data.folder, data.tried, data.running);
          return;
      }
    });
    api.postMessage({ kind: 'ready' });
  });
}
