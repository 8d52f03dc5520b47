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

/** Of paths, as the system tells them: a person has named another one than there is, or than may be used. */
const pathFaults: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EEXIST: 'there is something here already',
  ENOTDIR: 'a part of this path is a file',
  EISDIR: 'this is a folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the disk is read-only',
  ENAMETOOLONG: 'the name is too long',
};

const usageCodes: ReadonlySet<ErrorCode | 'unexpected'> = new Set(['usage', 'config', 'run-folder']);

export function exitCodeOfError(error: unknown): number {
  const isUsage = error instanceof TriphaseError ? usageCodes.has(error.code) : ofSystem(error)?.isPath === true;
  return isUsage ? exitCode.usage : exitCode.failed;
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
  const refused = ofSystem(error);
  if (refused !== undefined) return describe(refused.error);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What the operating system has refused: a full disk, a folder that may not be written. undefined: it was nothing of that. */
function ofSystem(error: unknown): { readonly error: TriphaseError; readonly isPath: boolean } | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  const fault = pathFaults[code ?? ''];
  return {
    isPath: fault !== undefined,
    error: new TriphaseError(
      'usage',
      fault === undefined ? `The system refused it: ${error.message}.` : `${fault} (${code}, ${error.syscall})`,
      fault === undefined ? undefined : 'Name another, or change who may use it.',
      path === undefined ? undefined : { file: path },
    ),
  };
}
