// Curves under other rules, answered by the process that tries rules as in the extension.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ChildProgram } from '../../../src/program/child';
import { recomputeRequest } from '../../../src/protocol/trial';
import { readRunInfo } from '../../../src/run/folder';
import type { HarnessOptions } from './server';

export function trialAnswers(): {
  readonly recompute: NonNullable<HarnessOptions['recompute']>;
  readonly close: () => Promise<void>;
} {
  const trial = new ChildProgram({
    program: () => ({ node: process.execPath, file: path.resolve('dist/trial.js') }),
    name: 'The process that tries rules',
    onLog: line => process.stderr.write(`trial: ${line}\n`),
  });
  return {
    recompute: async ({ folder, under, rulesOf = folder }, { signal, onRecomputing }) => {
      const file = readRunInfo(rulesOf).config;
      const rules =
        under === 'now'
          ? ({ of: 'text', kind: 'curriculum', text: readFileSync(file, 'utf8'), file } as const)
          : ({ of: 'version', version: under, rulesOf } as const);
      return trial.ask(recomputeRequest, { folder, under: rules }, { signal, told: onRecomputing });
    },
    close: () => trial.close(),
  };
}
