// A curriculum that the config room accepts, for jobs that look at its phases only.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes it into the folder, with as many phases (p0, p1, …) as there are numbers of steps. */
export function smallCurriculum(folder: string, steps: readonly number[] = [3]): string {
  mkdirSync(path.join(folder, 'model'), { recursive: true });
  writeFileSync(path.join(folder, 'model', 'config.json'), '{}');
  writeFileSync(path.join(folder, 'rows.jsonl'), '{"id": "1", "question": "1 + 1?", "answer": "2"}\n');
  const phases = steps.map((count, i) => `  - {id: p${i}, view: text, sources: [rows], steps: ${count}}\n`);
  const file = path.join(folder, 'curriculum.yaml');
  writeFileSync(
    file,
    `name: small
model: {path: model, init: {}}
data:
  rows: {path: rows.jsonl}
phases:
${phases.join('')}checkpoints: {every: 0, keep: 2}
`,
  );
  return file;
}
