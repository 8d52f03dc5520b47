// A disk, or a quota, that is full: the one failure of writing that goes away by itself, so that a run waits for it.

import { statfsSync } from 'node:fs';
import { TriphaseError } from '../protocol/errors';

export class NoRoomError extends TriphaseError {
  constructor(
    readonly folder: string,
    /** At least so much is wanted. */
    readonly neededBytes: number,
    what: string,
  ) {
    super('run-folder', `${what}: the disk is full.`, 'Make room on the disk, then resume the run.', { file: folder });
  }
}

export function isNoRoom(error: unknown): boolean {
  if (error instanceof NoRoomError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What this user may still write there; 0 where it cannot be asked. A quota is not seen. */
export function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
