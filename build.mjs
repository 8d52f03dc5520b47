// Bundles src into dist (the programs) and, with --tests, test into out/test. Native packages stay outside the bundles.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const options = new Set(process.argv.slice(2));
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  external: ['vscode', 'onnxruntime-node', 'sharp'],
  // ES modules among the bundled packages ask for import.meta.url
  define: { 'import.meta.url': '__import_meta_url' },
  banner: { js: "const __import_meta_url = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
};

/** Entry points by the name of the bundle they become. */
export const programs = { cli: 'src/cli/main.ts', worker: 'src/host/worker.ts' };

const files = (folder, pattern) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .filter(name => pattern.test(name))
        .map(name => path.join(folder, name))
    : [];

const result = await build({
  ...common,
  entryPoints: Object.fromEntries(Object.entries(programs).filter(([, file]) => existsSync(file))),
  outdir: 'dist',
  metafile: true,
});
if (options.has('--tests')) {
  rmSync('out', { recursive: true, force: true });
  // the import walls are held on this graph of every file of src
  const rooms = await build({
    ...common,
    entryPoints: files('src', /\.ts$/),
    outdir: 'out/rooms',
    write: false,
    metafile: true,
  });
  const tests = [...files('test', /\.test\.ts$/), ...files('bench', /\.ts$/), ...files('examples', /\.ts$/)];
  await build({ ...common, entryPoints: tests, outbase: '.', outdir: 'out' });
  writeFileSync('out/imports.json', JSON.stringify(rooms.metafile.inputs));
}
if (options.has('--bench'))
  await build({ ...common, entryPoints: files('bench', /\.ts$/), outbase: '.', outdir: 'out' });
if (!options.has('--quiet')) {
  for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
    if (file.endsWith('.js')) console.log(`${file}  ${(bytes / 1024).toFixed(0)} kB`);
  }
}
