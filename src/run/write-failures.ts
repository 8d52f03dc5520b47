// Failures of writing that go away by themselves or by somebody's hand, so that a run waits for it: a disk or a quota that
// is full, a folder that is read-only for a while, a disk that does not answer.

import { statfsSync } from 'node:fs';
import { TriphaseError } from '../protocol/errors';
import type { PauseReason } from '../protocol/run-state';

/** Why a run waits for its disk. */
export type DiskWait = Exclude<PauseReason, { readonly kind: 'asked' }>;

const full = new Set(['ENOSPC', 'EDQUOT']);
const barred = new Set(['EROFS', 'EACCES', 'EPERM', 'EIO', 'ESTALE', 'EHOSTDOWN', 'ENXIO']);

export class WriteFailure extends TriphaseError {
  constructor(
    readonly wait: DiskWait,
    what: string,
  ) {
    super(
      'run-folder',
      `${what}: ${wait.kind === 'no-space' ? 'the disk is full' : `the folder cannot be written to (${wait.code})`}.`,
      wait.kind === 'no-space'
        ? 'Make room on the disk, then resume the run.'
        : 'Make the folder writable, then resume the run.',
      { file: wait.folder },
    );
  }
}

/**
 * What to wait for; undefined where waiting does not help.
 *
 * @param bytes at least so many are to be written
 */
export function diskWait(error: unknown, folder: string, bytes: number): DiskWait | undefined {
  if (error instanceof WriteFailure) return error.wait;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (full.has(code)) return { kind: 'no-space', folder, neededBytes: bytes, freeBytes: freeBytes(folder) };
  return barred.has(code) ? { kind: 'not-writable', folder, code } : undefined;
}

/** What had happened, once it is over. */
export function afterWait({ kind }: DiskWait, seconds: number, what: string): string {
  const was = kind === 'no-space' ? 'The disk was full' : 'The run folder could not be written to';
  return `${was}: the run waited ${Math.round(seconds)} s to write ${what}, and has gone on.`;
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
