// The run that is disturbed, in a folder of its own: the small model of the example, words alone, two phases; a second or
// two from start to end.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostProgram } from '../../src/client/start';

export const program: HostProgram = { nodePath: process.execPath, cli: path.resolve('dist/cli.js') };

const stepsAPhase = 5;
export const steps = 2 * stepsAPhase;

export function writeCurriculum(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const rows = Array.from({ length: 24 }, (_, i) => ({
    id: `r${i}`,
    question: `${i} + ${(7 * i) % 10} = ?`,
    answer: String(i + ((7 * i) % 10)),
  }));
  writeFileSync(path.join(folder, 'rows.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
  const file = path.join(folder, 'curriculum.yaml');
  writeFileSync(
    file,
    `name: faults
seed: 5
model: { path: ${JSON.stringify(path.resolve('examples/shapes/base'))} }
device: cpu
threads: 1
prompt: { system: "", max_tokens: 128 }
data: { rows: { path: rows.jsonl, answer: number } }
generation: { samples: 4, max_tokens: 16 }
grpo: { beta: 0, micro_batch: 4 }
optimizer: { learning_rate: 1.0e-3, reset: false }
# what the model writes at random differs in length, so that every group teaches
rewards:
  rules: { short: { kind: length, weight: 1, budget: 2, most: 16 } }
phases:
  - { id: first, view: text, sources: [rows], steps: ${stepsAPhase}, prompts: 4 }
  - { id: second, view: text, sources: [rows], steps: ${stepsAPhase}, prompts: 4 }
evaluation: { data: [rows], limit: 8, conditions: [text] }
checkpoints: { every: 2, keep: 2 }
`,
  );
  return file;
}

/** Runs the command line to its end. @returns what it printed */
export function triphase(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.nodePath, [program.cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        printed += chunk;
      });
    child.once('error', reject);
    child.once('close', code =>
      code === 0 ? resolve(printed) : reject(new Error(`triphase ${args.join(' ')} ended with ${code}:\n${printed}`)),
    );
  });
}
