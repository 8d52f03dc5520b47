// Paints the pictures of the example and writes its rows, where they are not there yet.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const example = import.meta.dirname;
const root = path.join(example, '..', '..');
const data = path.join(example, 'data');
const rowsOf = { training: ['train', 'test', 'look'], base: ['base-text', 'base-image', 'base-captioned'] };

/** @param which `training`: what the curriculum trains and is measured on; `base`: what its base model was made from */
export async function makeShapes(which) {
  if (rowsOf[which].every(name => existsSync(path.join(data, `${name}.jsonl`)))) return;
  process.stderr.write(`painting the pictures of examples/shapes (${which}), once\n`);
  const staging = path.join(root, 'out', `shapes-${process.pid}`);
  const program = path.join(staging, 'generate.cjs');
  await build({
    entryPoints: [path.join(example, 'generate.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['sharp'],
    logLevel: 'warning',
  });
  const made = path.join(staging, 'data');
  const { status } = spawnSync(process.execPath, [program, made, which], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
  // rows come last: where a .jsonl file is, its pictures are
  mkdirSync(path.join(data, 'images'), { recursive: true });
  const pictures = readdirSync(path.join(made, 'images')).map(name => path.join('images', name));
  const rows = readdirSync(made).filter(name => name.endsWith('.jsonl'));
  for (const name of [...pictures, ...rows]) renameSync(path.join(made, name), path.join(data, name));
  rmSync(staging, { recursive: true, force: true });
}
