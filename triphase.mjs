// The command line from a clone: `npm run -s triphase -- ARGUMENTS`. Builds when a source is newer than the programs, and
// paints the pictures of examples/shapes when the command speaks of them and they are not there. Both speak on standard
// error, so that what a command prints can be piped.
import { existsSync } from 'node:fs';
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
  const asked = args.some(word => path.resolve(word) === example || path.resolve(word).startsWith(example + path.sep));
  if (!asked || !['run', 'resume', 'evaluate'].includes(args[0] ?? '')) return;
  const { makeShapes: make } = await import('./examples/shapes/make.mjs');
  await make('training');
  if (args.some(word => path.basename(word) === 'base.yaml')) await make('base');
}
