// npm run e2e: packages the extension, installs a workbench where there is none (.workbench), and does in it what a
// person does. Pictures go to out/pictures. Names of test files may follow: `npm run e2e -- run`.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { buildShared } from '../build.mjs';
import { makeShapes } from '../examples/shapes/make.mjs';
import { findChromium, installWorkbench } from './install-workbench.mjs';
import { makePackage } from './package.mjs';

const root = path.join(import.meta.dirname, '..');
const at = (...names) => path.join(root, ...names);

const { node, entry } = installWorkbench(process.env.TRIPHASE_WORKBENCH ?? at('.workbench'));
const chromium = findChromium();
if (chromium === undefined) throw new Error('there is no Chromium, and it cannot be installed here');
await makeShapes('training');
const vsix = await makePackage({ native: true });
const plain = await makePackage({ native: false });

const recorded = at('out', 'e2e', 'recorded');
const curriculum = at('examples', 'shapes', 'curriculum.yaml');
if (isOlder(path.join(recorded, 'run.json'), [import.meta.filename, curriculum])) recordRun();

const names = process.argv.slice(2);
const tests = readdirSync(at('test', 'e2e'))
  .filter(name => name.endsWith('.e2e.ts') && (names.length === 0 || names.includes(name.slice(0, -'.e2e.ts'.length))))
  .map(name => path.join('test', 'e2e', name));
await buildShared(tests, path.join('test', 'e2e'));
const pictures = at('out', 'pictures');
if (names.length === 0 && existsSync(pictures)) rmSync(pictures, { recursive: true });
mkdirSync(pictures, { recursive: true });

const mocha = ['--no-config', '--timeout', '240000', '--slow', '60000', '--enable-source-maps'];
const { status } = spawnSync(
  process.execPath,
  [
    at('node_modules', 'mocha', 'bin', 'mocha.js'),
    ...mocha,
    ...tests.map(name => at('out', name.replace(/\.ts$/, '.js'))),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TRIPHASE_E2E_NODE: node,
      TRIPHASE_E2E_ENTRY: entry,
      TRIPHASE_E2E_CHROMIUM: chromium,
      TRIPHASE_E2E_PICTURES: pictures,
      TRIPHASE_E2E_VSIX: vsix,
      TRIPHASE_E2E_PLAIN: plain,
      TRIPHASE_E2E_RECORDED: recorded,
    },
  },
);
process.exit(status ?? 1);

/** Whether a file is not there, or one that it is made from has changed since. */
function isOlder(file, sources) {
  const time = name => statSync(name, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.some(source => time(source) > time(file));
}

/** A run to look at: a few steps of every phase, under a rule more that pays nobody, which a hint is about. */
function recordRun() {
  rmSync(recorded, { recursive: true, force: true });
  const args = ['run', curriculum, '--quick', '--run-dir', recorded];
  args.push('--set', 'rewards.rules={boxed: {kind: match, pattern: boxed, weight: 0.05}}');
  const { status } = spawnSync(process.execPath, [at('dist', 'cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the run that the tests look at could not be recorded');
}
