// Starts the process that serves a run, so that it outlives this window: detached, with its output in a file.
// https://code.visualstudio.com/api: under the desktop's editor process.execPath is Electron, which is Node when told so.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Program {
  /** Node, or an Electron that can be it. */
  readonly node: string;
  /** The bundle. */
  readonly file: string;
}

/** The environment of a child that is to run as Node; a debugger's NODE_OPTIONS would stop it at its first line. */
export function nodeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, VSCODE_INSPECTOR_OPTIONS: _inspector, ...rest } = from;
  return { ...rest, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' };
}

/** @param log both streams are appended to it */
export function startDetached(program: Program, args: readonly string[], cwd: string, log: string): ChildProcess {
  const output = openSync(log, 'a');
  try {
    const child = spawn(program.node, [program.file, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...nodeEnvironment(process.env), NO_COLOR: '1' },
      windowsHide: true,
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}
