// Prompts of a phase as the model would see them, from the command line's preview: it needs no weights and no native part
// but that which reads images.

import { execFile } from 'node:child_process';
import type * as vscode from 'vscode';
import { TriphaseError } from '../protocol/errors';
import type { Actions } from '../protocol/views';
import { program } from './programs';
import { refuseUntrusted } from './refusals';
import { nodeEnvironment } from './start-host';

export async function previewPrompts(
  context: vscode.ExtensionContext,
  { config, phase, count, example }: Actions['preview']['params'],
  signal: AbortSignal,
): Promise<Actions['preview']['result']> {
  // templates and rules of the workspace are evaluated
  refuseUntrusted();
  const { node, file } = program(context, 'cli');
  const args = [
    'preview',
    config,
    '--json',
    '--n',
    String(count),
    ...(phase === undefined ? [] : ['--phase', phase]),
    ...(example === undefined ? [] : ['--example', example]),
  ];
  const output = await new Promise<string>((resolve, reject) => {
    const options = { env: { ...nodeEnvironment(process.env), NO_COLOR: '1' }, maxBuffer: 1 << 28, signal };
    execFile(node, [file, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          signal.aborted ? error : new TriphaseError('config', stderr.trim().replace(/^error: /, '') || error.message),
        );
    });
  });
  return JSON.parse(output) as Actions['preview']['result'];
}
