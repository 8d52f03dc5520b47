// What the process says to scripts when it ends.

import type { ErrorRecord } from '../protocol/error-record';
import { describe, type ErrorCode, TriphaseError } from '../protocol/errors';
import type { RunOutcome } from '../protocol/run';

export const exitCode = {
  /** All was done. */
  ok: 0,
  /** The run or the command failed. */
  failed: 1,
  /** The command line, the config or the named folder has to be changed first. */
  usage: 2,
  /** Stopped, by Ctrl+C, a signal or a window, with everything saved. */
  stopped: 130,
} as const;

const usageCodes: ReadonlySet<ErrorCode | 'unexpected'> = new Set(['usage', 'config', 'run-folder']);

export function exitCodeOfError(error: unknown): number {
  return error instanceof TriphaseError && usageCodes.has(error.code) ? exitCode.usage : exitCode.failed;
}

export function exitCodeOfRun(outcome: RunOutcome): number {
  switch (outcome.outcome) {
    case 'finished':
      return exitCode.ok;
    case 'stopped':
      return exitCode.stopped;
    case 'failed':
      return exitCodeOfRecord(outcome.error);
  }
}

/** A run folder that breaks under a running run is a failure, not a wrong name. */
function exitCodeOfRecord({ code }: ErrorRecord): number {
  return code === 'config' || code === 'usage' ? exitCode.usage : exitCode.failed;
}

/** What a person reads of an error; the stack only of those that nobody foresaw. */
export function describeForPerson(error: unknown): string {
  if (error instanceof TriphaseError) return describe(error);
  if (!(error instanceof Error)) return String(error);
  // what the system refuses, such as a full disk or a folder that may not be written, names its path and is no fault of ours
  if ('syscall' in error) return `The system refused it: ${error.message}.`;
  return error.stack ?? error.message;
}
