// From the palette to a trace by keyboard alone; through its steps and tokens; on from a token; and a rule that is typed
// beside it changes what it says, the file, and the run.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { prepareShapes } from './lab';
import { until, Workbench } from './workbench';

describe('a trace in the workbench', () => {
  let workbench: Workbench;
  let trace: Frame;
  const page = () => workbench.page;
  const file = () => path.join(workbench.folder, 'shapes', 'curriculum.yaml');

  before(async () => {
    workbench = await Workbench.open({
      vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '',
      prepare: folder => {
        prepareShapes(folder);
        // a run that is over: two steps of each phase
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [
            'dist/cli.js',
            'run',
            path.join(folder, 'shapes', 'curriculum.yaml'),
            '--quick',
            '--set',
            'evaluation.data=[]',
          ],
          { encoding: 'utf8' },
        );
        assert.equal(status, 0, stdout + stderr);
      },
    });
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed())
      await workbench.picture(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-')}`);
  });
  after(() => workbench?.close());

  it('is reached from the palette by keyboard alone', async () => {
    await workbench.command('Triphase: Open Rollouts');
    const rollouts = await workbench.view('main.rollouts');
    await rollouts.locator('.list [role=row] [role=gridcell]').first().waitFor();
    await until('the list that has the focus', async () => {
      const here = await rollouts.evaluate('document.activeElement?.matches(".list") === true');
      if (!here) await page().keyboard.press('Tab');
      return here === true;
    });
    await page().keyboard.press('ArrowDown');
    await page().keyboard.press('Enter');
    trace = await workbench.view('main.trace .step');
    await workbench.picture('trace');
  });

  it('is stepped through, into tokens and out again', async () => {
    await trace.locator('.step[aria-current=step]').first().waitFor();
    await page().keyboard.press('ArrowDown');
    await trace.locator('.step[data-step="1"][aria-current=step]').waitFor();
    await page().keyboard.press('ArrowRight');
    await trace.locator('.token[aria-current=true]').waitFor();
    await page().keyboard.press('ArrowRight');
    await trace.locator('.token-name', { hasText: 'token 3 of' }).waitFor();
    await workbench.picture('trace-token');
    await page().keyboard.press('Escape');
    await until('out of the tokens', async () => (await trace.locator('.token[aria-current=true]').count()) === 0);
  });

  it('goes on from a token, with the scores of what comes', async () => {
    await page().keyboard.press('ArrowRight');
    await page().keyboard.press('b');
    await trace.locator('.branches').waitFor();
    await trace.locator('.branches vscode-button').first().click();
    await trace.locator('.branch').first().waitFor({ timeout: 120_000 });
    assert.equal(await trace.locator('.branch').count(), 4);
    await trace.locator('.branch-head', { hasText: 'reward' }).first().waitFor();
    await workbench.picture('trace-branches');
  });

  it('opens a rule beside it, and says what the rule as typed would have paid', async () => {
    await trace.locator('.branches').getByRole('button', { name: 'Close' }).click();
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await trace.locator('.rule[data-rule=accuracy] .rule-name').click();
    await trace.locator('.rule[data-rule=format] .icon-button').click();
    await page().locator('.monaco-editor .view-line').first().waitFor();
    await until('the cursor on the rule', async () =>
      /Ln \d+/.test(
        (await page()
          .locator('.statusbar-item', { hasText: /Ln \d+, Col/ })
          .first()
          .textContent()) ?? '',
      ),
    );
    await page().keyboard.press('Home');
    await page().keyboard.press('Control+f');
    await page().keyboard.type('weight: 0.1');
    await page().keyboard.press('Enter');
    await page().keyboard.press('Escape');
    await page().keyboard.press('ArrowRight');
    await page().keyboard.type('5');
    await trace.locator('.trial', { hasText: 'Mean reward' }).waitFor();
    await trace.locator('.trial-scope', { hasText: 'All' }).waitFor();
    await workbench.picture('trace-beside-its-rule');
    await page().keyboard.press('Control+s');
    await until('the rule in the file', async () => readFileSync(file(), 'utf8').includes('weight: 0.15'));
    await page().keyboard.press('Control+z');
    await until('the change undone on the page', async () => {
      const text = (await trace.locator('.trial-figures').first().textContent()) ?? '';
      return !text.includes('→');
    });
  });
});
