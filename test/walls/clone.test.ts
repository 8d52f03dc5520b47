// From a clone the command line builds itself: `npm run -s triphase -- ARGUMENTS`.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { version } from '../../src/protocol/version';
import { temporaryFolder } from '../run/temporary';

describe('triphase from a clone', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  const clone = (): string => {
    for (const name of ['src', 'build.mjs', 'triphase.mjs', 'package.json', 'tsconfig.json'])
      cpSync(name, path.join(folder(), name), { recursive: true });
    return folder();
  };
  const triphase = (at: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [path.join(at, 'triphase.mjs'), ...args], { encoding: 'utf8', cwd: at });

  it('builds when a source is newer, and only then', () => {
    const at = clone();
    symlinkSync(path.resolve('node_modules'), path.join(at, 'node_modules'), 'junction');
    const program = path.join(at, 'dist', 'cli.js');
    const first = triphase(at, '--version');
    assert.deepEqual([first.stdout, first.stderr, first.status], [`${version}\n`, '', 0]);

    const built = statSync(program).mtimeMs;
    assert.equal(triphase(at, '--version').stdout, `${version}\n`);
    assert.equal(statSync(program).mtimeMs, built);

    const later = new Date(Date.now() + 2000);
    utimesSync(path.join(at, 'src', 'cli', 'main.ts'), later, later);
    rmSync(`${program}.map`);
    assert.equal(triphase(at, '--version').stdout, `${version}\n`);
    assert.ok(statSync(`${program}.map`).size > 0);
  });

  it('says what to do where the packages are not installed', () => {
    const at = clone();
    const { status, stderr } = triphase(at, 'doctor');
    assert.deepEqual([status, stderr], [2, 'error: the packages are not installed.\n  Run `npm ci` first.\n']);
  });

  it('has the version of the package', () => {
    const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.equal(version, packaged);
  });
});
