// A training host: serves one run. This is its main thread, which always answers: it keeps the event log, the state and
// the socket. The work is done in a worker thread (curriculum-thread.ts), one for each attempt.

import { EventEmitter } from 'node:events';
import path from 'node:path';
import type { Curriculum } from '../config/schema';
import { toErrorRecord } from '../protocol/error-record';
import { TriphaseError } from '../protocol/errors';
import type { AppliedRules, ApplyRulesParams, HostStatus, Pulse, StopParams, Watcher } from '../protocol/host';
import type { RunEvent, RunEventBody, RunOutcome } from '../protocol/run';
import type { RunInfo } from '../protocol/run-info';
import { RunProgress } from '../protocol/run-progress';
import type { Activity, RunState } from '../protocol/run-state';
import { version } from '../protocol/version';
import { EventLog } from '../run/event-log';
import { readRunInfo } from '../run/folder';
import { Lease } from '../run/lease';
import { refuseLinks } from '../run/own-files';
import { attemptStart } from './attempt-start';
import { CurriculumThread, type ThreadEnd } from './curriculum-thread';
import { folderGone, takenOver } from './folder-gone';
import { IndexThread } from './index-thread';
import { type DeviceToUse, LostDevices } from './lost-devices';
import { Presence } from './presence';
import { PulseWatch } from './pulse';
import { RuleVersions } from './rule-versions';
import { serveClient } from './serve-client';
import { removeStaleSocket } from './socket';
import { type StopPatience, stopPatience, stopSeconds } from './stop-patience';
import { WaitingLog } from './waiting-log';
import { Watchers } from './watchers';

export interface HostOptions {
  /** A run folder made by src/run/folder.ts, absolute. A run that has begun is gone on with. */
  readonly folder: string;
  readonly config: Curriculum;
  /** The bundled program of the worker thread. */
  readonly workerFile: string;
  /** Name of the checkpoint to go on from; the latest whole one when absent. */
  readonly checkpoint?: string;
  /** Told of everything from the first event on. */
  readonly observe?: Observer;
  /** Who watches from within this process, and needs no control for its Ctrl+C: "terminal 4711". */
  readonly watcher?: string;
  readonly patience?: StopPatience;
}

export interface Observer {
  event(event: RunEvent): void;
  state(state: RunState): void;
  activity(activity: Activity): void;
  pulse?(pulse: Pulse): void;
}

interface HostEvents {
  readonly event: [RunEvent];
  readonly state: [RunState];
  readonly activity: [Activity];
  readonly watchers: [readonly Watcher[]];
  readonly pulse: [Pulse];
}

const takesRules: ReadonlySet<RunState['kind']> = new Set(['starting', 'running', 'pausing', 'paused']);

/** The worker and the folder are looked at so often, */
const lookMs = 1000;
/** the socket every so many looks, */
const socketLooks = 3;
/** and a silence is told of so often. */
const tellSeconds = 5;

export class Host {
  readonly events = new EventEmitter<HostEvents>();
  /** Resolves when the end is on disk. After a kill the caller must end the process: the worker may still be at work. */
  readonly ended: Promise<RunOutcome>;
  readonly watchers = new Watchers(list => this.events.emit('watchers', list));
  readonly folder: string;

  private readonly progress = new RunProgress();
  private readonly pulseWatch = new PulseWatch({
    beats: () => this.thread?.beats ?? 0,
    now: () => performance.now() / 1000,
    computed: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  private pulse: Pulse = this.pulseWatch.look(true);
  private looks = 0;
  private readonly clock: NodeJS.Timeout;
  private readonly log: WaitingLog;
  private readonly lostDevices: LostDevices;
  private readonly presence: Presence;
  private thread: CurriculumThread | undefined;
  private rules: RuleVersions | undefined;
  private stopLimit: NodeJS.Timeout | undefined;
  private settle: (outcome: RunOutcome) => void = () => {};
  private finished = false;
  private taken = false;

  private constructor(
    private readonly options: HostOptions,
    private readonly info: RunInfo,
    private lease: Lease,
    private readonly file: EventLog,
  ) {
    this.folder = options.folder;
    this.presence = new Presence(this.folder, info);
    this.lostDevices = new LostDevices(options.config.device_lost);
    this.log = new WaitingLog(
      file,
      event => this.tell(event),
      why => this.wish(() => (why === undefined ? this.progress.goingOn() : this.progress.waiting(why))),
    );
    this.ended = new Promise(resolve => {
      this.settle = resolve;
    });
    this.clock = setInterval(() => this.look(), lookMs);
    this.clock.unref();
    const { observe, watcher } = options;
    if (observe !== undefined) {
      this.events.on('event', event => observe.event(event));
      this.events.on('state', state => observe.state(state));
      this.events.on('activity', activity => observe.activity(activity));
      this.events.on('pulse', pulse => observe.pulse?.(pulse));
    }
    if (watcher !== undefined) this.watchers.add(watcher, false);
    const index = new IndexThread(this.folder, path.dirname(options.workerFile), error =>
      this.warn(`The rollouts could not be indexed: ${error.message}.`),
    );
    this.events.on('event', event => index.take(event));
  }

  static async start(options: HostOptions): Promise<Host> {
    const { folder } = options;
    refuseLinks(folder);
    const info = readRunInfo(folder);
    const lease = await Lease.take(folder, {
      watches: ({ machine }) => options.observe?.activity({ what: `seeing whether ${machine} still serves the run` }),
    });
    let host: Host | undefined;
    try {
      if (info.host !== undefined) removeStaleSocket(info.host.socket);
      const start = await attemptStart(folder, { name: options.checkpoint, memoryDeath: lease.memoryDeath });
      const opened = new Host(options, info, lease, EventLog.open(folder, lease.attempt));
      host = opened;
      await host.presence.open(socket => serveClient(socket, opened));
      host.presence.write(lease, 'running');
      host.begin(start, undefined);
      return host;
    } catch (error) {
      clearInterval(host?.clock);
      await host?.presence.close();
      host?.file.close();
      lease.release();
      throw error;
    }
  }

  /** What a client must know. */
  get token(): string {
    return this.presence.token;
  }

  get status(): HostStatus {
    return {
      folder: this.folder,
      attempt: this.lease.attempt,
      state: this.state,
      lastEvent: this.file.last,
      watchers: this.watchers.list,
      pulse: this.pulse,
    };
  }

  get state(): RunState {
    return this.progress.state;
  }

  /** Up to `limit` events numbered above `after`. */
  eventsSince(after: number, limit: number): readonly RunEvent[] {
    return this.file.since(after, limit);
  }

  /** The rules of a config, from the step after the one under way. */
  async applyRules(params: ApplyRulesParams): Promise<AppliedRules> {
    const read = await this.takingRules().read(params);
    // the run may have come to its end meanwhile
    return this.takingRules().accept(read, params.config);
  }

  private takingRules(): RuleVersions {
    const { rules, state } = this;
    const steps = this.progress.phases.reduce((n, phase) => n + phase.steps, 0);
    if (rules === undefined || !takesRules.has(state.kind))
      throw new TriphaseError(
        'usage',
        `The run takes no other rules: it is ${state.kind}.`,
        'A run that goes on takes them; resume it first.',
        { file: this.folder },
      );
    if (steps > 0 && rules.nextStep > steps)
      throw new TriphaseError(
        'usage',
        `The run takes no other rules: step ${steps} is its last, and it has begun.`,
        'See what they would have paid with `triphase rescore`.',
        { file: this.folder },
      );
    return rules;
  }

  stop(when: StopParams['when']): void {
    if (this.finished) {
      // its last line waits for the disk, and the run is the same without it
      if (this.log.waiting) void this.close({ outcome: 'finished' });
      return;
    }
    if (when === 'now') {
      this.finish({ outcome: 'stopped', killed: true });
      return;
    }
    this.thread?.stop();
    if (this.log.waiting) this.finish({ outcome: 'stopped', killed: true });
    else this.limitStop();
    this.wish(() => this.progress.stopping());
  }

  /** A worker that hangs comes to no place to stop. */
  private limitStop(): void {
    if (this.stopLimit !== undefined) return;
    const seconds = stopSeconds(this.pulse.usualSeconds, this.options.patience ?? stopPatience);
    this.stopLimit = setTimeout(() => {
      const message = `The worker came to no place to stop in ${Math.round(seconds)} s: the run is ended all the same.`;
      this.warn(message, 'Resume it: it goes on from the last checkpoint.');
      this.finish({ outcome: 'stopped', killed: true });
    }, seconds * 1000);
    this.stopLimit.unref();
  }

  pause(): void {
    if (this.finished || (this.state.kind !== 'starting' && this.state.kind !== 'running')) return;
    this.thread?.pause();
    this.wish(() => this.progress.pausing());
  }

  resume(): void {
    this.thread?.goOn();
    this.log.retry();
    // of a pause that has begun the worker tells itself
    if (this.state.kind === 'pausing') this.wish(() => this.progress.goingOn());
  }

  private wish(take: () => void): void {
    const before = this.state.kind;
    take();
    if (this.state.kind !== before) this.events.emit('state', this.state);
  }

  private look(): void {
    this.looks += 1;
    // what another host writes is left alone
    this.taken ||= this.lease.isTaken;
    const gone = this.taken ? takenOver(this.folder) : folderGone(this.file, this.folder);
    if (gone !== undefined) {
      this.thread?.stop();
      this.thread?.refuse();
      this.finish({ outcome: 'failed', error: gone });
      return;
    }
    if (this.looks % socketLooks === 0) void this.renewSocket();
    const before = this.pulse;
    this.pulse = this.pulseWatch.look(this.state.kind === 'paused');
    const { verdict, silentSeconds } = this.pulse;
    const again = Math.floor(silentSeconds / tellSeconds) > Math.floor(before.silentSeconds / tellSeconds);
    if (verdict !== before.verdict || again) this.events.emit('pulse', this.pulse);
  }

  private async renewSocket(): Promise<void> {
    try {
      await this.presence.renew(this.lease);
    } catch (error) {
      this.warn(`The run cannot be attached to: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param device of an attempt that begins because the one before lost its own */
  private begin(start: Awaited<ReturnType<typeof attemptStart>>, device: DeviceToUse | undefined): void {
    const { folder, info, lease } = this;
    const { config, workerFile } = this.options;
    const { checkpoint, events, supersedesAfter, limits, memoryDeath, replicas, layerwise, microBatches } = start;
    const wish = this.state.kind;
    for (const event of device === undefined ? events : []) this.progress.take(event);
    this.log.append({
      kind: 'run-started',
      name: info.name,
      version,
      machine: lease.holder.machine,
      quick: info.quick,
      ...(info.onlyPhase === undefined ? {} : { onlyPhase: info.onlyPhase }),
      ...(checkpoint === undefined ? {} : { resumedFrom: { checkpoint: checkpoint.folder, step: checkpoint.step } }),
      supersedesAfter,
    });
    if (device !== undefined) this.log.append({ kind: 'device-lost', ...device.lost });
    for (const warning of start.warnings) this.log.append(warning);
    const step = checkpoint?.step ?? 0;
    const rules = new RuleVersions(folder, { config, configFile: info.config, events, supersedesAfter, step }, event =>
      this.log.append(event),
    );
    this.rules = rules;
    this.thread = new CurriculumThread(
      workerFile,
      {
        config,
        folder,
        attempt: lease.attempt,
        ...(checkpoint === undefined ? {} : { resumeFrom: path.join(folder, checkpoint.folder) }),
        ...(device === undefined ? {} : { device: device.use }),
        limits,
        ...(memoryDeath === undefined ? {} : { memoryDeath }),
        ...(replicas === undefined ? {} : { replicas }),
        ...(layerwise === undefined ? {} : { layerwise }),
        ...(microBatches === undefined ? {} : { microBatches }),
        quick: info.quick,
        ...(info.onlyPhase === undefined ? {} : { onlyPhase: info.onlyPhase }),
      },
      rules.inForce,
      { stop: wish === 'stopping', pause: wish === 'pausing' },
      {
        event: (event, answer) => {
          // after a kill nobody is told that anything more was written
          if (!this.finished) this.log.write(event, answer);
        },
        stepBegins: step => rules.begin(step),
        activity: activity => {
          this.pulseWatch.doing(activity);
          this.events.emit('activity', activity);
        },
        waits: why => this.wish(() => (why === undefined ? this.progress.goingOn() : this.progress.waiting(why))),
        end: end => this.threadEnded(end),
      },
    );
    if (wish === 'stopping') this.wish(() => this.progress.stopping());
    if (wish === 'pausing') this.wish(() => this.progress.pausing());
  }

  private threadEnded(end: ThreadEnd): void {
    if (this.finished) return;
    if (end.kind === 'ended') {
      this.finish(end.result === 'finished' ? { outcome: 'finished' } : { outcome: 'stopped', killed: false });
      return;
    }
    const { error } = end;
    const device = error.code === 'device-lost' ? this.lostDevices.next(error, this.progress.step) : undefined;
    if (device === undefined) this.finish({ outcome: 'failed', error: folderGone(this.file, this.folder) ?? error });
    else if (this.state.kind === 'stopping') this.finish({ outcome: 'stopped', killed: true });
    else this.again(device).catch(error => this.finish({ outcome: 'failed', error: toErrorRecord(error) }));
  }

  /** Another attempt of the same process, back at the last checkpoint. */
  private async again(device: DeviceToUse): Promise<void> {
    const start = await attemptStart(this.folder);
    if (this.finished) return;
    this.lease = this.lease.next();
    this.file.attempt = this.lease.attempt;
    this.presence.write(this.lease, 'running');
    this.begin(start, device);
  }

  private tell(event: RunEvent): void {
    const before = this.state.kind;
    this.progress.take(event);
    this.lostDevices.see(event);
    if (event.kind === 'step') this.pulseWatch.stepTook(event.timings['total'] ?? 0);
    this.events.emit('event', event);
    if (this.state.kind !== before) this.events.emit('state', this.state);
  }

  /** What a person should know, where the log takes it. */
  private warn(message: string, remedy?: string): void {
    const warning: RunEventBody = { kind: 'warning', message, ...(remedy === undefined ? {} : { remedy }) };
    try {
      if (!this.finished) this.log.append(warning);
    } catch {
      // the log is full or gone, which is told where a step cannot be written
    }
  }

  private finish(outcome: RunOutcome): void {
    if (this.finished) return;
    this.log.giveUp();
    clearTimeout(this.stopLimit);
    const end: RunEventBody = { kind: 'run-ended', step: this.progress.step, ...outcome };
    this.finished = true;
    // a run that was finished is worth waiting for room; any other end is the same without its line
    if (this.taken) void this.close(outcome);
    else if (outcome.outcome === 'finished') this.log.write(end, () => void this.close(outcome));
    else {
      try {
        this.log.append(end);
      } catch {
        // the log is what failed: the outcome says so already
      }
      void this.close(outcome);
    }
  }

  /** Whatever of it fails, the process goes: whoever comes next sees that it is gone. */
  private async close(outcome: RunOutcome): Promise<void> {
    clearInterval(this.clock);
    this.log.giveUp();
    const killed = outcome.outcome === 'stopped' && outcome.killed;
    // another folder may stand in its place
    const there = !this.taken && this.file.place === 'there';
    if (there) this.presence.sayEnd(this.lease, outcome.outcome);
    await this.presence.close();
    // after a kill the worker may be at work, and the lease is held until the process is gone
    if (!killed) {
      this.file.close();
      try {
        if (there) this.lease.release();
      } catch {
        // whoever comes next sees that its holder is gone
      }
      this.lease.abandon();
    }
    this.settle(outcome);
  }
}
