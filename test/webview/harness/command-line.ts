// What the command line's `preview --json` says of a phase.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { TriphaseError } from '../../../src/protocol/errors';
import type { PhasePreview } from '../../../src/protocol/preview';
import type { Actions } from '../../../src/protocol/views';

export function commandLinePreview({
  config,
  phase,
  count,
  example,
}: Actions['preview']['params']): Promise<PhasePreview> {
  const options = [
    ...(phase === undefined ? [] : ['--phase', phase]),
    ...(example === undefined ? [] : ['--example', example]),
  ];
  const args = [path.resolve('dist/cli.js'), 'preview', config, ...options, '--n', String(count), '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as PhasePreview);
      else reject(new TriphaseError('config', stderr.trim().replace(/^error: /, '')));
    });
  });
}
