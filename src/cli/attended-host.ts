// A run in this terminal: its host is a process of its own below this one, which sees how it ends. Native code may end a
// process without a word in the run folder; what it said last is written into host.log, where the next attempt and every
// view look. The host prints into the terminal itself, and stops after its step when this process is gone.

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { readRunState } from '../run/folder';
import { hostLogFile } from '../run/host-log';
import { endOf } from '../run/last-words';
import { leftHeld } from '../run/lease';
import { exitCode } from './exit-codes';
import { countPresses, endAtOnce } from './presses';
import type { Screen } from './screen';
import { quoted, shown } from './shown';

export interface AttendedRun {
  readonly folder: string;
  /** Name of the one to go on from; default: the latest. */
  readonly checkpoint?: string;
  /** The folder was made for this run just now. */
  readonly isNew?: boolean;
}

/** What a host is told by who attends it. */
export interface Presses {
  readonly presses: number;
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it printed on its standard error. */
  readonly said: string;
}

const keptCharacters = 64 * 1024;

export async function attendHost(screen: Screen, { folder, checkpoint, isNew }: AttendedRun): Promise<number> {
  const args = ['host', folder, '--attended', ...(checkpoint === undefined ? [] : ['--from', checkpoint])];
  const child = spawn(
    process.execPath,
    [...process.execArgv, __filename, ...args, ...(isNew === true ? ['--new'] : [])],
    {
      stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    },
  );
  // the terminal gives a Ctrl+C to both, a kill reaches this one alone: the host goes by the larger count
  const release = countPresses(presses => {
    if (child.connected) child.send({ presses } satisfies Presses, () => {});
  });
  const end = await ended(child);
  release();
  if (end.signal === 'SIGINT') endAtOnce();
  if (end.code !== null && !hasBrokenOff(folder, child, end.code)) return end.code;
  const how = endOf(end.signal ?? `exit code ${end.code}`);
  try {
    appendFileSync(hostLogFile(folder), `${end.said}${how}\n`, { mode: 0o600 });
  } catch {
    // the folder is gone or its disk is full: the terminal has seen it
  }
  // over the live line that the host has left
  screen.status(' ');
  screen.line(`${screen.style('red', 'lost'.padEnd(9))} ${how}`);
  screen.line(`${screen.style('bold', 'go on'.padEnd(9))} triphase resume ${quoted(shown(folder))}`);
  return exitCode.failed;
}

function ended(child: ChildProcess): Promise<End> {
  let said = '';
  // who read it went away, or the terminal closed: the host goes on
  process.stderr.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    said = (said + text).slice(-keptCharacters);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, said }));
  });
}

const ours: ReadonlySet<number> = new Set(Object.values(exitCode));

/**
 * Windows knows no signals, and an error that nobody foresaw ends with 1 as a run does that has failed. One before the
 * attempt began has left the run as it was.
 */
const hasBrokenOff = (folder: string, { pid = 0 }: ChildProcess, code: number): boolean =>
  !ours.has(code) || (code === exitCode.failed && leftHeld(folder, pid) && isLost(folder));

function isLost(folder: string): boolean {
  try {
    return readRunState(folder).kind === 'lost';
  } catch {
    // no folder is left of a run that was refused
    return false;
  }
}
