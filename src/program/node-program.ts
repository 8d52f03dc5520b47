// The programs of the package run as Node.js, also where the editor's own program has to be told to be one.

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
