// Bundles programs for a test to start, as build.mjs does.

import { createRequire } from 'node:module';
import path from 'node:path';

// esbuild cannot be bundled itself, and tests are bundles
const { buildSync } = createRequire(path.resolve('package.json'))('esbuild') as typeof import('esbuild');

/** Entry points by name, relative to the repository; returns the bundles by the same names. */
export function bundle<N extends string>(
  folder: string,
  programs: Readonly<Record<N, string>>,
  externals: readonly string[] = [],
): Readonly<Record<N, string>> {
  buildSync({
    entryPoints: { ...programs },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    external: ['onnxruntime-node', 'sharp', ...externals],
    define: { 'import.meta.url': '__import_meta_url' },
    banner: { js: "const __import_meta_url = require('node:url').pathToFileURL(__filename).href;" },
  });
  const names = Object.keys(programs) as N[];
  return Object.fromEntries(names.map(name => [name, path.join(folder, `${name}.js`)])) as Record<N, string>;
}
