// The pictures of the README, of a whole run of the example: TRIPHASE_README_RUN names its folder. Not a test of its own.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareShapes } from './lab';
import { until, Workbench } from './workbench';

const run = process.env['TRIPHASE_README_RUN'];

describe('the pictures of the README', () => {
  let workbench: Workbench;
  before(async function () {
    if (run === undefined) return this.skip();
    workbench = await Workbench.open({
      vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '',
      prepare: folder => {
        prepareShapes(folder);
        const copy = path.join(folder, 'shapes', 'runs', path.basename(run));
        cpSync(run, copy, { recursive: true });
        const info = JSON.parse(readFileSync(path.join(copy, 'run.json'), 'utf8')) as object;
        const config = path.join(folder, 'shapes', 'curriculum.yaml');
        writeFileSync(path.join(copy, 'run.json'), JSON.stringify({ ...info, config }));
      },
      settings: {
        'workbench.colorTheme': 'Default Dark Modern',
        'editor.minimap.enabled': false,
        'git.enabled': false,
      },
    });
    await workbench.command('Triphase: Focus on Runs View');
    await workbench.row('shapes').waitFor();
  });
  after(() => workbench?.close());

  it('of the dashboard and of rollouts', async () => {
    await workbench.command('Triphase: Open Dashboard');
    const dashboard = await workbench.view('main.dashboard canvas');
    await dashboard.locator('.card').nth(3).waitFor();
    // what is read for the first time has been
    await dashboard.locator('h1', { hasText: 'shapes' }).waitFor();
    await dashboard.locator('.indexing .progress').waitFor({ state: 'detached' });
    await dashboard.locator('#smoothing').fill('0.8');
    await new Promise(resolve => setTimeout(resolve, 1500));
    await workbench.picture('readme-dashboard');
    await workbench.command('Triphase: Open Rollouts');
    const rollouts = await workbench.view('main.rollouts');
    await rollouts.locator('.list [role=row] [role=gridcell]').first().waitFor();
    await new Promise(resolve => setTimeout(resolve, 1500));
    await workbench.picture('readme-rollouts');
    await until('the list that has the focus', async () => {
      const here = await rollouts.evaluate('document.activeElement?.matches(".list") === true');
      if (!here) await workbench.page.keyboard.press('Tab');
      return here === true;
    });
    await workbench.page.keyboard.press('ArrowDown');
    await workbench.page.keyboard.press('Enter');
    const trace = await workbench.view('main.trace .step');
    await trace.locator('.step[aria-current=step]').first().waitFor();
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await trace.locator('.rule[data-rule=format] .icon-button').click();
    await workbench.page.locator('.monaco-editor .view-line').first().waitFor();
    await workbench.page.keyboard.press('Control+f');
    await workbench.page.keyboard.type('weight: 0.1');
    await workbench.page.keyboard.press('Enter');
    await workbench.page.keyboard.press('Escape');
    await workbench.page.keyboard.press('ArrowRight');
    await workbench.page.keyboard.press('Backspace');
    await workbench.page.keyboard.type('3');
    await trace.locator('.trial-scope', { hasText: 'All' }).waitFor();
    await trace.locator('.rule[data-rule=accuracy] .rule-name').click();
    await new Promise(resolve => setTimeout(resolve, 1000));
    await workbench.picture('readme-trace');
  });
});
