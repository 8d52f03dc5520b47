// A test case made from a rollout stands in the Test Explorer: it fails under a rule that is wrong, and passes as soon as
// the rule is mended, unsaved.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { prepareRecorded } from './lab';
import { pictureOfFailure, until, Workbench } from './workbench';

describe('a test made from a rollout', () => {
  let workbench: Workbench;
  const page = () => workbench.page;
  const file = () => path.join(workbench.folder, 'shapes', 'curriculum.yaml');
  const explorer = () => page().locator('.test-explorer');
  const test = (state: 'passed' | 'failed') =>
    explorer()
      .locator('.monaco-list-row')
      .filter({ hasText: '<think>' })
      .filter({ has: page().locator(`.codicon-testing-${state}-icon`) });

  before(async () => {
    workbench = await Workbench.open({
      vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '',
      prepare: prepareRecorded,
      settings: { 'editor.minimap.enabled': false },
    });
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  it('is written beside its rule, with what the rollout was', async () => {
    await workbench.command('Triphase: Open Rollouts');
    const rollouts = await workbench.view('main.rollouts .list [role=gridcell]');
    await workbench.focusBy('Tab', rollouts, '.list');
    await page().keyboard.press('ArrowDown');
    await page().keyboard.press('Enter');
    const trace = await workbench.view('main.trace .step');
    // a rule that asks for what nobody writes
    await trace.locator('.rule[data-rule=format] .icon-button').click();
    await workbench.statusBar(/Ln \d+, Col/).waitFor();
    await workbench.typeAfter('tags: [think, answer', 's');
    await trace.locator('.rule[data-rule=format].failing').waitFor();
    await workbench.look('rule-that-fails');
    await workbench.toView('Control+1');
    await workbench.pressUntil('m', 'the rules to pick from', workbench.pick('format'));
    await workbench.pick('format').click();
    await workbench.pick('as it pays now').waitFor();
    await workbench.picture('test-what-it-must-pay');
    await workbench.pick('as it pays now').click();
    await page().locator('.view-line', { hasText: 'completion:' }).waitFor();
    // what it must pay is chosen, to be typed over
    await workbench.statusBar(/1 selected/).waitFor();
    await workbench.save();
    await until('the case in the file', async () => /tests: \[/.test(readFileSync(file(), 'utf8')));
  });

  it('fails, with the evidence', async () => {
    await page().locator('.codelens-decoration a', { hasText: 'Test' }).first().click();
    for (const name of ['shapes/curriculum.yaml', 'format']) {
      await explorer().locator('.monaco-list-row', { hasText: name }).click();
      await page().keyboard.press('ArrowRight');
    }
    await test('failed').waitFor();
    await workbench.command('Test Results: Focus on Test Results View');
    await page().locator('.test-output-peek-message-container, .test-output-peek-tree').first().waitFor();
    await workbench.look('test-fails');
    await page().keyboard.press('Control+j');
  });

  it('passes when the rule is mended, run as one types', async () => {
    await workbench.command('Test: Start Continuous Run');
    await workbench.toEditor('Control+2');
    await workbench.typeAfter('tags: [think, answers', '');
    await page().keyboard.press('Backspace');
    await test('passed').waitFor();
    assert.match(readFileSync(file(), 'utf8'), /answers/, 'nothing was saved');
    await workbench.look('test-passes');
    await page().keyboard.type('s');
    await test('failed').waitFor();
    await page().keyboard.press('Backspace');
    await test('passed').waitFor();
  });
});
