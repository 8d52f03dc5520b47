// What a run folder says of its run, and of the process that serves it.

import type { RunState } from './run-state';

/** The process that serves a run. */
export interface HostInfo {
  readonly pid: number;
  /** When the process began, as the operating system says; pid and start time together name one process. ISO 8601. */
  readonly startTime: string;
  /** Unix socket or Windows named pipe. */
  readonly socket: string;
  readonly version: string;
  readonly machine: string;
  /** Names the process whatever the clock is set to; absent where the system gives nothing better than the start time. */
  readonly process?: string;
}

/** `run.json` */
export interface RunInfo {
  readonly format: 1;
  /** Of the Triphase that made the folder; absent in those of earlier versions. */
  readonly version?: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** The config file that the run was started with, and what was set over it. */
  readonly config: string;
  readonly sets: readonly string[];
  readonly quick: boolean;
  readonly onlyPhase?: string;
  readonly attempt: number;
  /** The latest host; whether it still lives is asked of the operating system, not read here. */
  readonly host?: HostInfo;
  readonly state: RunState['kind'];
}
