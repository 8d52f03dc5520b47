// Folders that the tests open: the example, with its pictures, and steps to the measure of a test; a run that was recorded
// before; what another trainer wrote.

import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const example = path.resolve('examples', 'shapes');

export function prepareShapes(folder: string): void {
  const shapes = path.join(folder, 'shapes');
  cpSync(path.join(example, 'base'), path.join(shapes, 'base'), { recursive: true });
  symlinkSync(path.join(example, 'data'), path.join(shapes, 'data'));
  const config = readFileSync(path.join(example, 'curriculum.yaml'), 'utf8')
    .replaceAll('prompts: 32', 'prompts: 8')
    .replace('limit: 256', 'limit: 16, conditions: [image]')
    .replace('every: 20', 'every: 10');
  writeFileSync(path.join(shapes, 'curriculum.yaml'), config);
}

/** A whole run, three steps a phase, as if it were one of the folder's own config (scripts/e2e.mjs records it). */
export function prepareRecorded(folder: string): void {
  prepareShapes(folder);
  const config = path.join(folder, 'shapes', 'curriculum.yaml');
  const ruled = readFileSync(config, 'utf8').replace(
    /^ {2}accuracy: .*$/m,
    '$&\n  rules:\n    boxed: { kind: match, pattern: boxed, weight: 0.05 }',
  );
  writeFileSync(config, ruled);
  const run = path.join(folder, 'shapes', 'runs', 'towers');
  cpSync(process.env['TRIPHASE_E2E_RECORDED'] ?? '', run, { recursive: true });
  const info = JSON.parse(readFileSync(path.join(run, 'run.json'), 'utf8')) as object;
  writeFileSync(path.join(run, 'run.json'), JSON.stringify({ ...info, config, sets: [] }));
  writeFileSync(path.join(run, 'config.source.yaml'), ruled);
}

/** What TRL's trainer logged; undefined: there is none here. */
export function trlFolder(): string | undefined {
  const data = process.env['TRIPHASE_DATA'];
  if (data === undefined) return undefined;
  const folder = path.join(data, 'rollouts', 'trl_run');
  return existsSync(path.join(folder, 'completions')) ? folder : undefined;
}

export function prepareTrl(folder: string): void {
  const from = trlFolder();
  if (from === undefined) return;
  mkdirSync(path.join(folder, 'from-trl'));
  cpSync(path.join(from, 'completions'), path.join(folder, 'from-trl', 'completions'), { recursive: true });
}
