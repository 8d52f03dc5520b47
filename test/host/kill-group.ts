import type { ChildProcess } from 'node:child_process';

/** A command that was started as the first of a group of processes, with the host below it. */
export function killGroup({ pid = 0 }: ChildProcess): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // all of it has ended
  }
}
