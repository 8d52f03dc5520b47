// A real workbench with the packaged extension in it, shown by a browser: for tests that do what a person does.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrowserContext, chromium, type Frame, type Locator, type Page } from 'playwright-core';
import { leaseHolder } from '../../src/run/lease';

export interface WorkbenchOptions {
  readonly vsix: string;
  /** Fills the folder that is opened. */
  readonly prepare: (folder: string) => void;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Default: trust is not asked for. */
  readonly restricted?: boolean;
  readonly keys?: readonly { readonly key: string; readonly command: string }[];
}

/** Where the runner has put the parts (scripts/e2e.mjs). */
const parts = {
  node: process.env['TRIPHASE_E2E_NODE'] ?? '',
  entry: process.env['TRIPHASE_E2E_ENTRY'] ?? '',
  chromium: process.env['TRIPHASE_E2E_CHROMIUM'] ?? '',
  pictures: process.env['TRIPHASE_E2E_PICTURES'] ?? '',
};

export async function until<T>(what: string, look: () => Promise<T | undefined | false>, forMs = 60_000): Promise<T> {
  const end = Date.now() + forMs;
  for (let last: unknown; ; ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`, { cause: last });
    await sleep(50);
  }
}

/** Of the state in which a test has failed. */
export function pictureOfFailure(workbench: () => Workbench | undefined): void {
  afterEach(async function () {
    if (this.currentTest?.isFailed())
      await workbench()?.picture(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-').slice(0, 60)}`);
  });
}

export class Workbench {
  private constructor(
    /** Short: the server's Unix socket lies below it, whose path may have 107 bytes. */
    private readonly root: string,
    readonly folder: string,
    private readonly url: string,
    private readonly server: ChildProcess,
    private readonly context: BrowserContext,
    public page: Page,
  ) {}

  static async open({
    vsix,
    prepare,
    settings = {},
    restricted = false,
    keys = [],
  }: WorkbenchOptions): Promise<Workbench> {
    const root = mkdtempSync(path.join(tmpdir(), 'tw-'));
    const inside = (name: string): string => {
      const folder = path.join(root, name);
      mkdirSync(folder, { recursive: true });
      return folder;
    };
    const folder = inside('lab');
    const user = inside('user');
    mkdirSync(path.join(user, 'User'));
    writeFileSync(path.join(user, 'User', 'settings.json'), JSON.stringify({ ...quiet(restricted), ...settings }));
    writeFileSync(path.join(user, 'User', 'keybindings.json'), JSON.stringify(keys));
    writeFileSync(path.join(root, 'server.yaml'), '');
    prepare(folder);

    const env = {
      PATH: `${path.dirname(parts.node)}:${process.env['PATH']}`,
      HOME: inside('home'),
      TMPDIR: inside('tmp'),
      LANG: 'C.UTF-8',
      SHELL: '/bin/bash',
      // nothing is looked up in a gallery
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    };
    const base = [
      parts.entry,
      '--config',
      path.join(root, 'server.yaml'),
      '--user-data-dir',
      user,
      '--extensions-dir',
      inside('extensions'),
    ];
    const installed = spawnSync(parts.node, [...base, '--install-extension', vsix], { env, encoding: 'utf8' });
    if (installed.status !== 0)
      throw new Error(`the extension was not installed: ${installed.stdout}${installed.stderr}`);

    const port = await freePort();
    const log = openSync(path.join(root, 'server.log'), 'w');
    const options = [
      '--bind-addr',
      `127.0.0.1:${port}`,
      '--auth',
      'none',
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-getting-started-override',
      '--disable-proxy',
    ];
    const server = spawn(
      parts.node,
      [...base, ...options, ...(restricted ? [] : ['--disable-workspace-trust']), folder],
      {
        env,
        stdio: ['ignore', log, log],
        detached: true,
      },
    );
    closeSync(log);
    const url = `http://127.0.0.1:${port}`;
    await until('the server', async () => (await fetch(`${url}/healthz`)).ok, 30_000);
    const context = await chromium.launchPersistentContext(inside('browser'), {
      executablePath: parts.chromium,
      headless: true,
      viewport: { width: 1440, height: 900 },
      locale: 'en-US',
      env: { PATH: env.PATH, HOME: env.HOME, LANG: env.LANG },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const workbench = new Workbench(root, folder, url, server, context, page);
    await workbench.load();
    return workbench;
  }

  /** A window that begins anew on the same folder, as after a reload or a restart. */
  async load(): Promise<void> {
    await this.page.goto(`${this.url}/?folder=${encodeURIComponent(this.folder)}`, { waitUntil: 'commit' });
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  }

  /** Writes over the person's settings; a window takes them when it is loaded. */
  settings(changed: Readonly<Record<string, unknown>>): void {
    const file = path.join(this.root, 'user', 'User', 'settings.json');
    const before = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    writeFileSync(file, JSON.stringify({ ...before, ...changed }));
  }

  /** What the extension's output channel says. */
  log(): string {
    const logs = path.join(this.root, 'user', 'logs');
    const files = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('Triphase.log'),
    );
    return files.map(name => readFileSync(path.join(logs, name), 'utf8')).join('');
  }

  /** The run folders of the example, the oldest first. */
  runs(): readonly string[] {
    const runs = path.join(this.folder, 'shapes', 'runs');
    if (!existsSync(runs)) return [];
    const names = readdirSync(runs).filter(name => existsSync(path.join(runs, name, 'run.json')));
    return names.map(name => path.join(runs, name)).sort();
  }

  /** As a person reloads it: what the window shows is kept, and comes back. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  }

  /** A row of the quick pick that is open. */
  pick(text: string | RegExp): Locator {
    return this.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: text }).first();
  }

  /** Through the palette, with Enter. */
  async command(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input');
    await until(`the command ${title}`, async () => {
      await this.page.keyboard.press('F1');
      await input.fill(`>${title}`);
      try {
        await this.pick(title).waitFor({ timeout: 3000 });
        return true;
      } catch {
        await this.page.keyboard.press('Escape');
        return false;
      }
    });
    await this.page.keyboard.press('Enter');
  }

  /** The document of a view, found by something in it. */
  view(selector: string): Promise<Frame> {
    return until(`a view with ${selector}`, async () => {
      for (const frame of this.page.frames())
        if (frame !== this.page.mainFrame() && (await frame.locator(selector).count()) > 0) return frame;
      return undefined;
    });
  }

  row(text: string | RegExp): Locator {
    return this.page.locator('.pane-body .monaco-list-row').filter({ hasText: text }).first();
  }

  statusBar(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item').filter({ hasText: text }).first();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-list-item').filter({ hasText: text }).first();
  }

  async picture(name: string): Promise<void> {
    if (parts.pictures !== '') await this.page.screenshot({ path: path.join(parts.pictures, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.context.close();
    const gone = new Promise(resolve => this.server.once('exit', resolve));
    if (this.server.pid !== undefined) process.kill(this.server.pid, 'SIGTERM');
    await Promise.race([gone, sleep(5000)]);
    // hosts outlive their windows, as they should; not the test
    for (const run of this.runs()) {
      const holder = leaseHolder(run);
      if (holder !== undefined) process.kill(holder.pid, 'SIGKILL');
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const quiet = (restricted: boolean) => ({
  'workbench.startupEditor': 'none',
  // the browser's wish for light or dark would win over the theme that is set
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'security.workspace.trust.enabled': restricted,
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.layoutControl.enabled': false,
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
