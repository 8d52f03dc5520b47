// What a training host answers over its socket. A message is a value that carries its types; both ends import it. The
// first request is `hello`, with the token of the run; nothing else is answered before it. Anyone may watch; what changes
// the run (pause, resume, stop) is for the one who controls it.

import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc';
import type { ErrorRecord } from './error-record';
import type { RunEvent } from './run';
import type { Activity, RunState } from './run-state';

/** Counted up when an older client would misunderstand a host, or the other way round. */
export const hostProtocol = 1;

export interface HelloParams {
  /** What stands in the run folder's host.token, which its user alone may read. */
  readonly token: string;
  readonly protocol: number;
  /** What others read of this client: "window of towers", "terminal 4711". */
  readonly name: string;
  /** Controls from now on, unless somebody does already. */
  readonly control: boolean;
}

export interface HelloResult {
  /** The number of this client among the watchers. */
  readonly you: number;
  readonly status: HostStatus;
}

export interface Watcher {
  /** Counts from 1 and is not given twice by one host. */
  readonly id: number;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** One at most. */
  readonly controls: boolean;
}

/**
 * Whether the worker is at work. A run of onnxruntime cannot be looked into; what can be known of it is how long it has
 * been silent, how long that usually lasts, and whether the process computes meanwhile.
 */
export interface Pulse {
  /** `slow`: silent for much longer than ever before, and computing. `hangs`: the same, and nothing computes. */
  readonly verdict: 'working' | 'slow' | 'hangs';
  /** What the worker last said that it does. */
  readonly activity?: Activity;
  readonly silentSeconds: number;
  /** The longest silence so far, or the longest step where that is more; absent before there was one. */
  readonly usualSeconds?: number;
  /** Processor cores that the host's process keeps busy; a graphics card's work does not show here. */
  readonly busyCores: number;
}

export interface HostStatus {
  /** The run folder, absolute. */
  readonly folder: string;
  readonly attempt: number;
  readonly state: RunState;
  /** Number of the latest event. */
  readonly lastEvent: number;
  readonly watchers: readonly Watcher[];
  readonly pulse: Pulse;
}

export interface EventsParams {
  /** Events numbered above this are asked for; 0 for all. */
  readonly after: number;
  /** At most so many; the host gives fewer where it must. */
  readonly limit?: number;
  /** When the page reaches the latest event, new ones follow as notifications, without a gap. */
  readonly follow: boolean;
}

export interface EventsPage {
  readonly events: readonly RunEvent[];
  /** There are more: ask again after the last of these. */
  readonly more: boolean;
}

export interface StopParams {
  /**
   * `after-step`: with everything saved; when the worker comes to no place to stop for far longer than a step takes, the
   * host ends all the same, back at the last checkpoint. `now`: it ends at once, back at the last checkpoint.
   */
  readonly when: 'after-step' | 'now';
}

export interface ApplyRulesParams {
  /** A curriculum file whose rewards, and those of its phases, take the place of the run's. Absolute. */
  readonly config: string;
  /** Settings over the file's, as on the command line. */
  readonly sets?: readonly string[];
}

export interface AppliedRules {
  readonly version: number;
  readonly hash: string;
  /** The first step that is scored by it. */
  readonly fromStep: number;
  /** A line for each rule that changes; none where the rules are those that the run has already. */
  readonly changes: readonly string[];
}

/** Refused (`denied`) with a wrong token, or by a host of another protocol. */
export const helloRequest = new RequestType<HelloParams, HelloResult, ErrorRecord>('triphase/hello');
export const statusRequest = new RequestType0<HostStatus, ErrorRecord>('triphase/status');
export const eventsRequest = new RequestType<EventsParams, EventsPage, ErrorRecord>('triphase/events');
/** From whoever has it now, who sees that in the watchers. */
export const takeControlRequest = new RequestType0<HostStatus, ErrorRecord>('triphase/takeControl');

// Those below are answered when the wish is taken, not when it is fulfilled, and refused (`denied`) while another client
// controls the run; whoever asks while nobody does controls it from then on.

/** After the step that is under way, with everything saved; the model stays in memory. */
export const pauseRequest = new RequestType0<HostStatus, ErrorRecord>('triphase/pause');
/** Goes on from a pause, as the same attempt; takes back a pause that has not begun. */
export const resumeRequest = new RequestType0<HostStatus, ErrorRecord>('triphase/resume');
export const stopRequest = new RequestType<StopParams, HostStatus, ErrorRecord>('triphase/stop');
/**
 * Answered when the version is on disk and its first step is known, which is the one after the step under way. Rules that
 * do not compile are refused with their place.
 */
export const applyRulesRequest = new RequestType<ApplyRulesParams, AppliedRules, ErrorRecord>('triphase/applyRules');

export const eventNotification = new NotificationType<RunEvent>('triphase/event');
/** What the run is doing now. */
export const activityNotification = new NotificationType<Activity>('triphase/activity');
/** The state became of another kind. */
export const stateNotification = new NotificationType<RunState>('triphase/state');
/** Somebody came or went, or took control. */
export const watchersNotification = new NotificationType<readonly Watcher[]>('triphase/watchers');
/** Every few seconds while the worker is silent, and when the verdict changes. */
export const pulseNotification = new NotificationType<Pulse>('triphase/pulse');
