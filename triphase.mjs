// The command line from a clone: `npm run -s triphase -- ARGUMENTS`. Builds when a source is newer than the programs, and
// paints the pictures of examples/shapes when the command speaks of them and they are not there. Both speak on standard
// error, so that what a command prints can be piped.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = import.meta.dirname;
const args = process.argv.slice(2);

if (!existsSync(path.join(root, 'node_modules', 'esbuild'))) {
  process.stderr.write('error: the packages are not installed.\n  Run `npm ci` first.\n');
  process.exit(2);
}
const { buildPrograms, isStale } = await import('./build.mjs');
if (isStale()) await buildPrograms();
await makeShapes();
process.argv = [process.argv[0], path.join(root, 'dist', 'cli.js'), ...args];
createRequire(import.meta.url)('./dist/cli.js');

async function makeShapes() {
  const example = path.join(root, 'examples', 'shapes');
  const data = path.join(example, 'data');
  const asked = args.some(word => path.resolve(word) === example || path.resolve(word).startsWith(example + path.sep));
  if (!asked || !['run', 'resume', 'evaluate'].includes(args[0] ?? '')) return;
  const missing = (...names) => names.some(name => !existsSync(path.join(data, `${name}.jsonl`)));
  if (missing('train', 'test', 'look')) await make('training');
  if (args.some(word => path.basename(word) === 'base.yaml') && missing('base-text', 'base-image', 'base-captioned'))
    await make('base');

  async function make(which) {
    process.stderr.write(`painting the pictures of examples/shapes (${which}), once\n`);
    const { build } = await import('esbuild');
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
    const { spawnSync } = await import('node:child_process');
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
}
