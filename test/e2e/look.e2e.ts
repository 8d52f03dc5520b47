// Looking at recorded runs: by keyboard alone, in every theme, another trainer's, in a workspace that is not trusted, and
// with the package that has no native parts.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { prepareRecorded, prepareTrl, trlFolder } from './lab';
import { pictureOfFailure, until, Workbench } from './workbench';

const vsix = process.env['TRIPHASE_E2E_VSIX'] ?? '';
const plain = process.env['TRIPHASE_E2E_PLAIN'] ?? '';

describe('a recorded run in the workbench', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await Workbench.open({
      vsix,
      prepare: folder => {
        prepareRecorded(folder);
        prepareTrl(folder);
      },
    });
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  it('is looked through by keyboard alone, from the palette to an answer', async () => {
    await workbench.command('Triphase: Open Dashboard');
    const dashboard = await workbench.view('.dashboard [role=slider]');
    const { keyboard } = workbench.page;
    await dashboard.locator('.u-over').first().waitFor();
    await workbench.focusBy('Tab', dashboard, '[role=slider]:not(input)');
    await keyboard.press('End');
    await keyboard.press('ArrowLeft');
    await keyboard.press('Enter');
    const rollouts = await workbench.view('.list [role=gridcell]');
    await workbench.focusBy('Tab', rollouts, '[role=grid]');
    await keyboard.press('ArrowDown');
    await keyboard.press('Space');
    await rollouts
      .locator('.detail')
      .getByText(/<answer>|<think>/)
      .first()
      .waitFor();
    await workbench.picture('keyboard');
  });

  for (const [name, theme] of [
    ['light', 'Light Modern'],
    ['dark', 'Dark Modern'],
    ['hc-dark', 'Default High Contrast'],
    ['hc-light', 'Default High Contrast Light'],
  ] as const) {
    it(`shows its views in ${theme}`, async () => {
      workbench.settings({ 'workbench.colorTheme': theme });
      await workbench.load();
      await workbench.command('Triphase: Open Dashboard');
      const wanted = {
        light: 'vscode-light',
        dark: 'vscode-dark',
        'hc-dark': 'vscode-high-contrast',
        'hc-light': 'vscode-high-contrast-light',
      }[name];
      const dashboard = await workbench.view(`body.${wanted} .dashboard .u-over`);
      await dashboard.locator('.u-over').first().waitFor();
      await workbench.command('Triphase: Focus on Runs View');
      await workbench.row(/shapes.*finished/).waitFor();
      await workbench.row(/image-\d+/).waitFor();
      await workbench.picture(`dashboard-${name}`);
      await workbench.command('Triphase: Open Rollouts');
      await workbench.view(`body.${wanted} .list [role=gridcell]`);
      await workbench.picture(`rollouts-${name}`);
    });
  }

  it('shows what TRL has recorded, and what it has not', async function () {
    if (trlFolder() === undefined) this.skip();
    await workbench.command('Triphase: Open Run of TRL or verl');
    const button = workbench.page.locator('.quick-input-widget').getByText('Open Run', { exact: true });
    await button.waitFor();
    const input = workbench.page.locator('.quick-input-widget input.input').first();
    const folder = `${workbench.folder}/from-trl/`;
    await until('the folder in the box', async () => {
      // it writes where it begins, a moment after it is there
      if ((await input.inputValue()) === folder) return true;
      await input.fill(folder);
      await workbench.page.waitForTimeout(500);
      return undefined;
    });
    await button.click();
    const rollouts = await workbench.view('body:has-text("Recorded by TRL") .list .not-recorded');
    assert.ok((await rollouts.locator('.list [role=row]').count()) > 3);
    await workbench.picture('trl');
  });

  it('previews a phase: prompts, images, and what the rules pay', async () => {
    await workbench.command('Triphase: Preview Phase');
    await workbench.pick('captioned').click();
    const preview = await workbench.view('body[data-view=preview] img');
    assert.match(await preview.locator('body').innerText(), /tokens/);
    await workbench.picture('preview');
  });

  it('says what this machine has', async () => {
    await workbench.command('Triphase: Check This Machine');
    await workbench.page
      .locator('.editor-instance')
      .getByText(/onnxruntime|device/)
      .first()
      .waitFor({ timeout: 120_000 });
    await workbench.picture('check');
  });
});

describe('a workspace that is not trusted', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await Workbench.open({
      vsix,
      prepare: prepareRecorded,
      restricted: true,
      keys: [{ key: 'ctrl+alt+r', command: 'triphase.run' }],
    });
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  it('lets a run be looked at', async () => {
    await workbench.command('Triphase: Open Dashboard');
    await workbench.view('.dashboard .u-over');
    await workbench.command('Triphase: Focus on Runs View');
    await workbench.row(/shapes.*finished/).waitFor();
  });

  it('offers no run, and refuses one that is asked for all the same', async () => {
    await workbench.page.keyboard.press('F1');
    await workbench.page.locator('.quick-input-widget input.input').fill('>Triphase: Run Curriculum');
    await workbench.pick('Triphase: Open Run Folder').waitFor();
    assert.equal(await workbench.pick(/^Triphase: Run Curriculum/).count(), 0);
    await workbench.page.keyboard.press('Escape');
    const runs = workbench.runs().length;
    await workbench.page.keyboard.press('Control+Alt+r');
    await workbench.notification(/not trusted/).waitFor();
    assert.equal(workbench.runs().length, runs);
    await workbench.picture('restricted');
  });
});

describe('the package without native parts', () => {
  let workbench: Workbench;
  before(async () => {
    assert.ok(existsSync(plain));
    workbench = await Workbench.open({ vsix: plain, prepare: prepareRecorded });
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  it('shows a run, and says that it is slower', async () => {
    await workbench.command('Triphase: Open Rollouts');
    const rollouts = await workbench.view('.list [role=gridcell]');
    assert.match(await rollouts.locator('body').innerText(), /without DuckDB/);
    await workbench.picture('plain');
  });

  it('says that it cannot train', async () => {
    const runs = workbench.runs().length;
    await workbench.command('Triphase: Run Curriculum');
    await workbench.notification(/cannot train/).waitFor();
    assert.equal(workbench.runs().length, runs);
  });
});
