// One run folder, kept up to date: from its log, and from its host while one serves it.

import { EventEmitter } from 'node:events';
import path from 'node:path';
import type { HostClient } from '../client/host-client';
import { TriphaseError } from '../protocol/errors';
import type { StopParams } from '../protocol/host';
import type { Activity, RunInfo, RunState } from '../protocol/run';
import { actionsOf, type RunAction } from '../protocol/run-actions';
import { LogTail } from './log-tail';
import { RunDigest } from './run-digest';

interface WatchedRunEvents {
  /** Something that is shown of the run. */
  readonly changed: [];
  /** The attempt that was under way has come to its end. */
  readonly ended: [RunState];
}

export class WatchedRun {
  readonly events = new EventEmitter<WatchedRunEvents>();
  readonly digest = new RunDigest();
  activity: Activity | undefined;
  private readonly tail: LogTail;
  private client: HostClient | undefined;
  private hostState: RunState | undefined;
  private served = false;
  private wasUnderWay = false;
  private refreshing: Promise<void> | undefined;

  private constructor(
    readonly folder: string,
    public info: RunInfo,
    /** Whether its host may be talked to: the socket is named by the folder, which may be anybody's. */
    private readonly trusted: () => boolean,
  ) {
    this.tail = new LogTail(path.join(folder, 'events.jsonl'), event => this.digest.take(event));
  }

  static async open(folder: string, trusted: () => boolean): Promise<WatchedRun> {
    const { readRunInfo } = await import('../run/folder');
    const run = new WatchedRun(folder, readRunInfo(folder), trusted);
    await run.refresh();
    return run;
  }

  get state(): RunState {
    if (this.hostState !== undefined) return this.hostState;
    const { state, step } = this.digest;
    if (hasEnded(state) || this.served) return state;
    return this.isYoung ? { kind: 'starting' } : { kind: 'lost', step };
  }

  get actions(): readonly RunAction[] {
    return actionsOf(this.state);
  }

  /** A host is at work, or should be in a moment, and is not connected: look again soon. */
  get isAwaited(): boolean {
    return this.client === undefined && !hasEnded(this.state) && this.state.kind !== 'lost';
  }

  /** Its process has been started and has not said anything yet. */
  private get isYoung(): boolean {
    const since = Date.now() - Date.parse(this.digest.time ?? this.info.created);
    return this.launchedAt !== undefined
      ? Date.now() - this.launchedAt < 30_000
      : this.info.attempt === 0 && since < 30_000;
  }

  private launchedAt: number | undefined;

  /** A host was started for it, or has failed to start. */
  launched(works: boolean): void {
    this.launchedAt = works ? Date.now() : undefined;
    this.told();
  }

  /** Reads what is new on disk, and connects to the host where there is one. */
  refresh(): Promise<void> {
    this.refreshing ??= this.lookAgain().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  async stop(when: StopParams['when']): Promise<void> {
    await this.connected().stop({ when });
  }

  /** Of the host, which the caller needs. */
  private connected(): HostClient {
    if (this.client !== undefined) return this.client;
    throw new TriphaseError(
      'run-folder',
      'The run is not served by a process that this window can talk to.',
      this.info.host === undefined
        ? undefined
        : `It was served by process ${this.info.host.pid} on ${this.info.host.machine}.`,
      { file: this.folder },
    );
  }

  dispose(): void {
    this.client?.close();
    this.client = undefined;
    this.events.removeAllListeners();
  }

  private async lookAgain(): Promise<void> {
    const [{ readRunInfo }, { leaseHolder }] = await Promise.all([import('../run/folder'), import('../run/lease')]);
    this.info = readRunInfo(this.folder);
    if (this.client === undefined) {
      await this.tail.read();
      this.served = leaseHolder(this.folder) !== undefined;
      if (this.served && this.trusted()) await this.connect();
    }
    this.told();
  }

  private async connect(): Promise<void> {
    const { connectHost } = await import('../client/host-client');
    let client: HostClient;
    try {
      client = await connectHost(
        this.folder,
        { name: `window ${process.pid}`, control: true },
        {
          state: state => {
            this.hostState = hasEnded(state) ? undefined : state;
            this.told();
          },
          event: event => {
            this.digest.take(event);
            this.activity = undefined;
            if (event.kind !== 'run-ended') this.hostState = withProgress(this.hostState, this.digest.state);
            this.told();
          },
          activity: activity => {
            this.activity = activity;
            this.told();
          },
          closed: () => {
            this.client = undefined;
            this.hostState = undefined;
            this.activity = undefined;
            void this.refresh();
          },
        },
      );
    } catch {
      // it serves from another machine, or has just gone: the lease and the log say which, at the next look
      return;
    }
    this.client = client;
    this.launchedAt = undefined;
    const { state } = await client.status();
    this.hostState = hasEnded(state) ? undefined : state;
    await client.follow(this.digest.lastEvent);
  }

  private told(): void {
    const { state } = this;
    const underWay = !hasEnded(state) && state.kind !== 'lost';
    this.events.emit('changed');
    if (this.wasUnderWay && !underWay) this.events.emit('ended', state);
    this.wasUnderWay = underWay;
  }
}

export function hasEnded({ kind }: RunState): boolean {
  return kind === 'finished' || kind === 'stopped' || kind === 'failed';
}

/** The host tells of another kind of state; how far the run is stands in the events. */
function withProgress(state: RunState | undefined, logged: RunState): RunState | undefined {
  if (state === undefined || !('progress' in logged) || logged.progress === undefined) return state;
  switch (state.kind) {
    case 'starting':
      return logged;
    case 'running':
    case 'pausing':
    case 'paused':
    case 'stopping':
      return { ...state, progress: logged.progress };
    default:
      return state;
  }
}
