// What a training host answers over its socket. A message is a value that carries its types; both ends import it.

import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc';
import type { Activity, ErrorRecord, RunEvent, RunState } from './run';

export interface HostStatus {
  /** The run folder, absolute. */
  readonly folder: string;
  readonly attempt: number;
  readonly state: RunState;
  /** Number of the latest event. */
  readonly lastEvent: number;
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
  /** `after-step`: with everything saved. `now`: the process ends at once, back at the last checkpoint. */
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

export const statusRequest = new RequestType0<HostStatus, ErrorRecord>('triphase/status');
export const eventsRequest = new RequestType<EventsParams, EventsPage, ErrorRecord>('triphase/events');
/** Answered when the wish is taken, not when the run has ended. */
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
