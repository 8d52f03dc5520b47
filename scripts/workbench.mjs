// npm run workbench: the example in a real VS Code workbench, with the extension installed, in the browser on loopback.
// For whoever has no VS Code at hand, or wants to look without touching their own. Everything is kept below .workbench.
//   npm run workbench                 examples/shapes
//   npm run workbench -- FOLDER       another folder

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { makeShapes } from '../examples/shapes/make.mjs';
import { installWorkbench } from './install-workbench.mjs';
import { makePackage } from './package.mjs';

const root = path.join(import.meta.dirname, '..');
const home = path.join(root, '.workbench');
const folder = path.resolve(process.argv[2] ?? path.join(root, 'examples', 'shapes'));

console.log('installing the workbench, once: a minute or two');
const { node, entry } = installWorkbench(process.env.TRIPHASE_WORKBENCH ?? home);
await makeShapes('training');
console.log('packing the extension');
const vsix = await makePackage({ native: true });

const user = path.join(home, 'user');
mkdirSync(path.join(user, 'User'), { recursive: true });
const settings = path.join(user, 'User', 'settings.json');
if (!existsSync(settings))
  writeFileSync(
    settings,
    JSON.stringify(
      {
        'telemetry.telemetryLevel': 'off',
        'update.mode': 'none',
        'extensions.autoUpdate': false,
        'workbench.startupEditor': 'none',
      },
      null,
      2,
    ),
  );
const config = path.join(home, 'server.yaml');
writeFileSync(config, '');
const env = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
const base = [entry, '--config', config, '--user-data-dir', user, '--extensions-dir', path.join(home, 'extensions')];
const installed = spawnSync(node, [...base, '--install-extension', vsix, '--force'], {
  env,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (installed.status !== 0) process.exit(1);

const port = await freePort();
const url = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
const options = [
  '--bind-addr',
  `127.0.0.1:${port}`,
  '--auth',
  'none',
  '--disable-telemetry',
  '--disable-update-check',
  '--disable-getting-started-override',
  '--disable-workspace-trust',
];
const server = spawn(node, [...base, ...options, folder], { env, stdio: ['ignore', 'ignore', 'inherit'] });
server.once('exit', code => process.exit(code ?? 0));
for (const signal of ['SIGTERM', 'SIGHUP']) process.once(signal, () => server.kill());
while (!(await answers())) await new Promise(resolve => setTimeout(resolve, 200));
console.log(
  `\n  ${url}\n\nThe wave on the left is Triphase; F1 and "Triphase" lists what it does. Ctrl+C ends the workbench; a run goes on.`,
);

async function answers() {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
