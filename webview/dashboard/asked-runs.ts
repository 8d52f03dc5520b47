// What the dashboard asks about the runs that it shows: a whole picture of all of them at a time. While one is awaited, no
// more than one other is owed.

import type { ConfigDifference, Curves, IndexingProgress, RunSummary } from '../../src/protocol/query';
import { Indexing } from '../components/indexing';
import { type Host, isAbort } from '../host';
import type { NamedRun } from './run-comparison';

export interface RunPicture {
  readonly summaries: readonly RunSummary[];
  readonly curves: readonly Curves[];
  /** Runs that are not shown, and could be. */
  readonly others: readonly NamedRun[];
}

interface Listener {
  /** Curves need no index, and are there before one that is made. */
  early(curves: readonly Curves[]): void;
  answered(picture: RunPicture): void;
  /** How the configs differ; undefined where there is one run. */
  differ(differences: readonly ConfigDifference[] | undefined): void;
  failed(error: unknown): void;
}

export class AskedRuns {
  readonly indexing = new Indexing();
  private asking: AbortController | undefined;
  /** Something came while the answer before was still awaited. */
  private stale = false;
  private differenceOf = '';

  constructor(
    private readonly host: Host,
    private readonly listener: Listener,
  ) {}

  ask(folders: readonly string[]): void {
    if (this.asking !== undefined && !this.asking.signal.aborted) {
      this.stale = true;
      return;
    }
    const asking = new AbortController();
    this.asking = asking;
    this.stale = false;
    this.askAll(folders, asking.signal)
      .catch(error => {
        if (!isAbort(error)) this.listener.failed(error);
      })
      .finally(() => {
        if (this.asking !== asking) return;
        this.asking = undefined;
        this.indexing.end();
        if (this.stale) this.ask(folders);
      });
  }

  /** Nobody waits for the answer any more. */
  drop(): void {
    this.asking?.abort();
  }

  private async askAll(folders: readonly string[], signal: AbortSignal): Promise<void> {
    const early = Promise.all(folders.map(folder => this.host.request('curves', { folder }, { signal })));
    const [summaries, curves, others] = await Promise.all([
      Promise.all(
        folders.map(folder => this.askSummary(folder, folders.length < 2 ? undefined : nameOf(folder), signal, early)),
      ),
      early,
      this.host.request('runs', null, { signal }),
    ]);
    this.listener.answered({ summaries, curves, others });
    await this.askDifference(folders, signal);
  }

  /**
   * @param name where several runs are shown
   * @param curves need no index, and are not held up by one that is made
   */
  private async askSummary(
    folder: string,
    name: string | undefined,
    signal: AbortSignal,
    curves: Promise<readonly Curves[]>,
  ): Promise<RunSummary> {
    let isTold = false;
    const onIndexing = (progress: IndexingProgress) => {
      this.indexing.tell(progress, name);
      if (!isTold) curves.then(known => signal.aborted || this.listener.early(known)).catch(() => undefined);
      isTold = true;
    };
    const summary = await this.host.request('summary', { folder }, { signal, onIndexing });
    this.indexing.end(folder);
    return summary;
  }

  private async askDifference(folders: readonly string[], signal: AbortSignal): Promise<void> {
    const key = folders.join('\n');
    if (key === this.differenceOf) return;
    const differences =
      folders.length < 2 ? undefined : await this.host.request('configDifference', { folders }, { signal });
    this.differenceOf = key;
    this.listener.differ(differences);
  }
}

/** Of a run whose summary is still awaited. */
export const nameOf = (folder: string): string => folder.split(/[\\/]/).at(-1) ?? folder;
