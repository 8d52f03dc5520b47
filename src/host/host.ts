// A training host: serves one run. This is its main thread, which always answers: it keeps the event log, the state and
// the socket. The work is done in a worker thread, which is asked to stop by a flag and never terminated.

import { EventEmitter } from 'node:events';
import path from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Curriculum } from '../config/schema';
import { toErrorRecord } from '../protocol/error-record';
import { TriphaseError } from '../protocol/errors';
import type { AppliedRules, ApplyRulesParams, HostStatus, Pulse, StopParams, Watcher } from '../protocol/host';
import type { Activity, HostInfo, RunEvent, RunEventBody, RunOutcome, RunState } from '../protocol/run';
import { RunProgress } from '../protocol/run-progress';
import { version } from '../protocol/version';
import { type Checkpoint, damageOf, listCheckpoints, recoverCheckpoints, requireWhole } from '../run/checkpoints';
import { currentEvents, EventLog, lastKeptEvent, readEvents } from '../run/event-log';
import { readRunInfo, writeRunInfo } from '../run/folder';
import { removeHostToken, writeHostToken } from '../run/host-token';
import { Lease } from '../run/lease';
import { freeBytes, NoRoomError } from '../run/no-room';
import { flag, flagBytes, type WorkerInput, type WorkerMessage } from './channel';
import { IndexThread } from './index-thread';
import { PulseWatch } from './pulse';
import { RuleVersions } from './rule-versions';
import { serveClient } from './serve-client';
import { HostSocket, removeStaleSocket } from './socket';
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
}

export interface Observer {
  event(event: RunEvent): void;
  state(state: RunState): void;
  activity(activity: Activity): void;
}

interface HostEvents {
  readonly event: [RunEvent];
  readonly state: [RunState];
  readonly activity: [Activity];
  readonly watchers: [readonly Watcher[]];
  readonly pulse: [Pulse];
}

const takesRules: ReadonlySet<RunState['kind']> = new Set(['starting', 'running', 'pausing', 'paused']);

/** A worker that was asked to stop is given so many times its longest silence or step, */
const stopSteps = 5;
/** but no less than this, */
const leastStopSeconds = 60;
/** and where no step has been done yet, as if one took so long. */
const longStepSeconds = 120;
/** A log that there is no room for is tried again so often. */
const retryMs = 2000;

/** The worker is looked at so often, */
const lookMs = 1000;
/** and a silence is told of so often. */
const tellSeconds = 5;

export class Host {
  readonly events = new EventEmitter<HostEvents>();
  /** Resolves when the end is on disk. After a kill the caller must end the process: the worker may still be at work. */
  readonly ended: Promise<RunOutcome>;
  readonly watchers = new Watchers(list => this.events.emit('watchers', list));
  /** What a client must know. */
  readonly token: string;

  private readonly progress = new RunProgress();
  private readonly flags = new Int32Array(new SharedArrayBuffer(flagBytes));
  private readonly clients = new Set<() => Promise<void>>();
  private readonly pulseWatch = new PulseWatch({
    beats: () => Atomics.load(this.flags, flag.beat),
    now: () => performance.now() / 1000,
    computed: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  private pulse: Pulse = this.pulseWatch.look(true);
  private readonly clock: NodeJS.Timeout;
  private rules: RuleVersions | undefined;
  /** Tries again to write the event that there is no room for. */
  private unwritten: (() => void) | undefined;
  private stopLimit: NodeJS.Timeout | undefined;
  private settle: (outcome: RunOutcome) => void = () => {};
  private finished = false;

  private constructor(
    readonly folder: string,
    private readonly lease: Lease,
    private readonly log: EventLog,
  ) {
    this.token = writeHostToken(folder);
    this.ended = new Promise(resolve => {
      this.settle = resolve;
    });
    this.clock = setInterval(() => this.look(), lookMs);
    this.clock.unref();
  }

  static async start(options: HostOptions): Promise<Host> {
    const { folder, config } = options;
    const info = readRunInfo(folder);
    const lease = Lease.take(folder);
    let socket: HostSocket | undefined;
    try {
      recoverCheckpoints(folder);
      if (info.host !== undefined) removeStaleSocket(info.host.socket);
      const earlier = readEvents(folder);
      const checkpoints = listCheckpoints(folder, earlier.events);
      const { checkpoint, passedOver } = await chooseCheckpoint(folder, checkpoints.whole, options.checkpoint);

      const host = new Host(folder, lease, EventLog.open(folder, lease.attempt));
      const { observe } = options;
      if (observe !== undefined) {
        host.events.on('event', event => observe.event(event));
        host.events.on('state', state => observe.state(state));
        host.events.on('activity', activity => observe.activity(activity));
      }
      if (options.watcher !== undefined) host.watchers.add(options.watcher, false);
      const index = new IndexThread(folder, path.dirname(options.workerFile), error =>
        host.append({ kind: 'warning', message: `The rollouts could not be indexed: ${error.message}.` }),
      );
      host.events.on('event', event => index.take(event));
      socket = await HostSocket.open(client => {
        host.clients.add(serveClient(client, host));
      });
      const hostInfo: HostInfo = { ...lease.holder, version, socket: socket.address };
      const write = (state: RunState['kind']) =>
        writeRunInfo(folder, { ...info, attempt: lease.attempt, host: hostInfo, state });
      write('running');

      for (const event of currentEvents(earlier.events)) host.progress.take(event);
      host.append({
        kind: 'run-started',
        name: info.name,
        version,
        machine: hostInfo.machine,
        quick: info.quick,
        ...(info.onlyPhase === undefined ? {} : { onlyPhase: info.onlyPhase }),
        ...(checkpoint === undefined ? {} : { resumedFrom: { checkpoint: checkpoint.folder, step: checkpoint.step } }),
        supersedesAfter: checkpoint === undefined ? 0 : lastKeptEvent(earlier.events, checkpoint),
      });
      for (const place of earlier.damaged) {
        host.append({ kind: 'warning', message: 'A line of the event log is not an event, and is left out.', place });
      }
      if (earlier.torn) {
        const message = 'The event log ended in the middle of a line, which nobody was told of; it is cut off.';
        host.append({ kind: 'warning', message });
      }
      for (const { folder: damaged, why } of [...checkpoints.damaged, ...passedOver]) {
        host.append({ kind: 'warning', message: `The checkpoint ${damaged} is damaged: ${why}.` });
      }

      const rules = new RuleVersions(
        folder,
        {
          config,
          configFile: info.config,
          events: currentEvents(earlier.events),
          supersedesAfter: checkpoint === undefined ? 0 : lastKeptEvent(earlier.events, checkpoint),
          step: checkpoint?.step ?? 0,
        },
        event => host.append(event),
      );
      host.rules = rules;

      host.work({
        workerFile: options.workerFile,
        input: {
          job: {
            config,
            folder,
            attempt: lease.attempt,
            ...(checkpoint === undefined ? {} : { resumeFrom: path.join(folder, checkpoint.folder) }),
            quick: info.quick,
            ...(info.onlyPhase === undefined ? {} : { onlyPhase: info.onlyPhase }),
          },
          flags: host.flags.buffer,
        },
        rules,
        close: async outcome => {
          clearInterval(host.clock);
          removeHostToken(folder);
          write(outcome.outcome);
          if (outcome.outcome === 'stopped' && outcome.killed) {
            socket?.remove();
            return;
          }
          await Promise.all([...host.clients].map(end => end()));
          await socket?.close();
          host.log.close();
          lease.release();
        },
      });
      return host;
    } catch (error) {
      await socket?.close();
      lease.release();
      throw error;
    }
  }

  get status(): HostStatus {
    return {
      folder: this.folder,
      attempt: this.lease.attempt,
      state: this.state,
      lastEvent: this.log.last,
      watchers: this.watchers.list,
      pulse: this.pulse,
    };
  }

  get state(): RunState {
    return this.progress.state;
  }

  /** Up to `limit` events numbered above `after`. */
  eventsSince(after: number, limit: number): readonly RunEvent[] {
    return this.log.since(after, limit);
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
    if (this.finished) return;
    if (when === 'now') {
      this.finish({ outcome: 'stopped', killed: true });
      return;
    }
    Atomics.store(this.flags, flag.stop, 1);
    // a worker that rests, or waits for room, sees it at once
    Atomics.notify(this.flags, flag.pause);
    Atomics.notify(this.flags, flag.retry);
    if (this.unwritten) this.finish({ outcome: 'stopped', killed: true });
    else this.limitStop();
    this.wish(() => this.progress.stopping());
  }

  /** A worker that hangs comes to no place to stop. */
  private limitStop(): void {
    if (this.stopLimit !== undefined) return;
    const seconds = Math.max(leastStopSeconds, stopSteps * (this.pulse.usualSeconds ?? longStepSeconds));
    this.stopLimit = setTimeout(() => {
      const message = `The worker came to no place to stop in ${Math.round(seconds)} s: the run is ended all the same.`;
      try {
        this.append({ kind: 'warning', message, remedy: 'Resume it: it goes on from the last checkpoint.' });
      } catch {
        // the log is full or gone; the end is the same
      }
      this.finish({ outcome: 'stopped', killed: true });
    }, seconds * 1000);
    this.stopLimit.unref();
  }

  pause(): void {
    if (this.finished || (this.state.kind !== 'starting' && this.state.kind !== 'running')) return;
    Atomics.store(this.flags, flag.pause, 1);
    this.wish(() => this.progress.pausing());
  }

  resume(): void {
    Atomics.store(this.flags, flag.pause, 0);
    Atomics.notify(this.flags, flag.pause);
    Atomics.store(this.flags, flag.retry, 1);
    Atomics.notify(this.flags, flag.retry);
    this.unwritten?.();
    // of a pause that has begun the worker tells itself
    if (this.state.kind === 'pausing') this.wish(() => this.progress.goingOn());
  }

  private wish(take: () => void): void {
    const before = this.state.kind;
    take();
    if (this.state.kind !== before) this.events.emit('state', this.state);
  }

  private look(): void {
    const before = this.pulse;
    this.pulse = this.pulseWatch.look(this.state.kind === 'paused');
    const { verdict, silentSeconds } = this.pulse;
    const again = Math.floor(silentSeconds / tellSeconds) > Math.floor(before.silentSeconds / tellSeconds);
    if (verdict !== before.verdict || again) this.events.emit('pulse', this.pulse);
  }

  private close: (outcome: RunOutcome) => Promise<void> = async () => {};

  private work(job: {
    readonly workerFile: string;
    readonly input: Omit<WorkerInput, 'rules'>;
    readonly rules: RuleVersions;
    readonly close: (outcome: RunOutcome) => Promise<void>;
  }): void {
    this.close = job.close;
    const { port1, port2: port } = new MessageChannel();
    // it is written to, and must not hold the process up
    port1.unref();
    const input: WorkerInput = { ...job.input, rules: { atStart: job.rules.inForce, port } };
    const worker = new Worker(job.workerFile, { workerData: input, transferList: [port], name: 'triphase-curriculum' });
    let outcome: RunOutcome | undefined;
    worker.on('message', (message: WorkerMessage) => {
      switch (message.kind) {
        case 'event':
          outcome = this.record(message.number, message.event) ?? outcome;
          return;
        case 'step-begins': {
          const taken = job.rules.begin(message.step);
          if (taken !== undefined) port1.postMessage(taken);
          this.answer(message.number);
          return;
        }
        case 'activity':
          this.pulseWatch.doing(message.activity);
          this.events.emit('activity', message.activity);
          return;
        case 'room': {
          const { why } = message;
          this.wish(() => (why === undefined ? this.progress.goingOn() : this.progress.waiting(why)));
          return;
        }
        case 'ended':
          outcome ??= message.result === 'finished' ? { outcome: 'finished' } : { outcome: 'stopped', killed: false };
          this.finishAfter(worker, outcome);
          return;
        case 'failed':
          // what kept the log from being written says more than that it could not be written
          outcome ??= { outcome: 'failed', error: message.error };
          this.finishAfter(worker, outcome);
          return;
      }
    });
    worker.on('error', error => {
      outcome ??= { outcome: 'failed', error: toErrorRecord(error) };
    });
    worker.on('exit', code => {
      const message = `The worker ended by itself with code ${code}.`;
      this.finish(outcome ?? { outcome: 'failed', error: { code: 'unexpected', message } });
    });
  }

  /** Ends when the worker has, or soon after: nothing is lost by then, and an open handle must not hold the run up. */
  private finishAfter(worker: Worker, outcome: RunOutcome): void {
    worker.unref();
    setTimeout(() => this.finish(outcome), 2000).unref();
  }

  /** A failure when the event cannot be written. */
  private record(number: number, event: RunEventBody): RunOutcome | undefined {
    // after a kill nobody is told that anything more was written
    if (this.finished) return undefined;
    try {
      this.append(event);
      this.answer(number);
      return undefined;
    } catch (error) {
      if (error instanceof NoRoomError) {
        this.waitForRoom(error, number, event);
        return undefined;
      }
      Atomics.store(this.flags, flag.refused, 1);
      Atomics.notify(this.flags, flag.written);
      return { outcome: 'failed', error: toErrorRecord(error) };
    }
  }

  /** The worker waits for its event to be written: until there is room for it. */
  private waitForRoom({ folder, neededBytes }: NoRoomError, number: number, event: RunEventBody): void {
    const began = performance.now();
    let written = false;
    const why = { kind: 'no-space', folder, neededBytes, freeBytes: freeBytes(folder) } as const;
    this.wish(() => this.progress.waiting(why));
    const timer = setInterval(() => this.unwritten?.(), retryMs);
    this.unwritten = () => {
      if (this.finished) return clearInterval(timer);
      const seconds = Math.round((performance.now() - began) / 1000);
      const message = `The disk was full: the run waited ${seconds} s for room to write its log, and has gone on.`;
      try {
        if (!written) this.append(event);
        written = true;
        this.wish(() => this.progress.goingOn());
        this.append({ kind: 'warning', message });
        this.answer(number);
      } catch (error) {
        if (error instanceof NoRoomError) return;
        Atomics.store(this.flags, flag.refused, 1);
        Atomics.notify(this.flags, flag.written);
      }
      clearInterval(timer);
      this.unwritten = undefined;
    };
  }

  /** The worker goes on. */
  private answer(number: number): void {
    Atomics.store(this.flags, flag.written, number);
    Atomics.notify(this.flags, flag.written);
  }

  private append(body: RunEventBody): void {
    const event = this.log.append(body);
    const before = this.state.kind;
    this.progress.take(event);
    if (event.kind === 'step') this.pulseWatch.stepTook(event.timings['total'] ?? 0);
    this.events.emit('event', event);
    if (this.state.kind !== before) this.events.emit('state', this.state);
  }

  private finish(outcome: RunOutcome): void {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.stopLimit);
    try {
      this.append({ kind: 'run-ended', step: this.progress.step, ...outcome });
    } catch {
      // the log is what failed: the outcome says so already
    }
    this.close(outcome).then(
      () => this.settle(outcome),
      error => this.settle({ outcome: 'failed', error: toErrorRecord(error) }),
    );
  }
}

interface Chosen {
  readonly checkpoint: Checkpoint | undefined;
  readonly passedOver: readonly { readonly folder: string; readonly why: string }[];
}

/** The one that was named, or the latest whose content is what was written. */
async function chooseCheckpoint(
  folder: string,
  whole: readonly Checkpoint[],
  name: string | undefined,
): Promise<Chosen> {
  if (name === undefined) {
    const passedOver: { folder: string; why: string }[] = [];
    for (const checkpoint of whole.toReversed()) {
      const why = await damageOf(path.join(folder, checkpoint.folder));
      if (why === undefined) return { checkpoint, passedOver };
      passedOver.push({ folder: checkpoint.folder, why });
    }
    return { checkpoint: undefined, passedOver };
  }
  const checkpoint = whole.find(one => path.basename(one.folder) === name);
  if (checkpoint !== undefined) {
    await requireWhole(path.join(folder, checkpoint.folder));
    return { checkpoint, passedOver: [] };
  }
  const known = whole.map(one => path.basename(one.folder)).join(', ');
  throw new TriphaseError(
    'run-folder',
    `The run has no whole checkpoint named ${name}.`,
    known === '' ? 'It has none yet.' : `It has ${known}.`,
    { file: folder },
  );
}
