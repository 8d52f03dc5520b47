// A curriculum in the editor: what is wrong is marked and mended, keys are offered and explained, a rule is renamed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { prepareShapes } from './lab';
import { until, Workbench } from './workbench';

describe('a curriculum in the editor', () => {
  let workbench: Workbench;
  const file = () => path.join(workbench.folder, 'shapes', 'curriculum.yaml');
  const text = () => readFileSync(file(), 'utf8');
  const page = () => workbench.page;
  const editor = () => page().locator('.monaco-editor').first();

  /** To the end of a line, by the editor's own command. */
  async function toLine(line: number): Promise<void> {
    await page().keyboard.press('Control+g');
    await page().locator('.quick-input-widget').waitFor();
    await page().keyboard.type(String(line));
    await page().keyboard.press('Enter');
    // keys that are typed while it closes are lost
    await page().locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await workbench.statusBar(`Ln ${line}, Col`).waitFor();
    await page().keyboard.press('End');
  }
  const lineOf = (what: string): number =>
    text()
      .split('\n')
      .findIndex(line => line.includes(what)) + 1;
  const save = async (): Promise<void> => {
    await page().keyboard.press('Control+s');
  };

  before(async () => {
    workbench = await Workbench.open({ vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '', prepare: prepareShapes });
    await workbench.command('View: Show Explorer');
    const inExplorer = (name: string) =>
      page().locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).first();
    await inExplorer('shapes').click();
    await inExplorer('curriculum.yaml').dblclick();
    await editor().locator('.view-line').first().waitFor();
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed())
      await workbench.picture(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-')}`);
  });
  after(() => workbench?.close());

  it('has lenses above phases and rules', async () => {
    await page().locator('.codelens-decoration', { hasText: 'Run this phase' }).first().waitFor();
    await page().locator('.codelens-decoration', { hasText: 'Test' }).first().waitFor();
    await workbench.picture('editor-lenses');
  });

  it('marks a mistyped key as it is typed, and mends it', async () => {
    await toLine(lineOf('seed: 1'));
    await page().keyboard.type('\nthraeds: 2');
    await page().keyboard.press('Escape');
    await editor().locator('.squiggly-error').first().waitFor();
    await page().keyboard.press('Control+.');
    await page().locator('.action-widget .monaco-list-row', { hasText: "Change to 'threads'" }).waitFor();
    await workbench.picture('editor-quick-fix');
    await page().keyboard.press('Enter');
    await until('no mark', async () => (await editor().locator('.squiggly-error').count()) === 0);
    await save();
    await until('the file mended', async () => text().includes('threads: 2'));
  });

  it('offers the keys of a group with their defaults', async () => {
    await toLine(lineOf('optimizer:'));
    await page().keyboard.type('\n');
    await page().keyboard.type('  sche');
    await page().keyboard.press('Escape');
    await page().keyboard.press('Control+Space');
    await page().locator('.suggest-widget .monaco-list-row', { hasText: 'schedule' }).waitFor();
    await workbench.picture('editor-completion');
    await page().keyboard.press('Enter');
    // the value is offered next, with what may stand there
    await page().locator('.suggest-widget .monaco-list-row', { hasText: 'cosine' }).waitFor();
    await page().keyboard.press('Escape');
    await save();
    await until('the key in the file', async () => text().includes('  schedule: '));
    await page().keyboard.type('linear');
    await save();
  });

  it('says what a key means', async () => {
    await toLine(lineOf('generation:'));
    await page().keyboard.press('Home');
    await page().keyboard.press('Control+k');
    await page().keyboard.press('Control+i');
    await page().locator('.monaco-hover', { hasText: 'How completions are sampled' }).first().waitFor();
    await workbench.picture('editor-hover');
    await page().keyboard.press('Escape');
  });

  it('renames data everywhere', async () => {
    await toLine(lineOf('train: {'));
    await page().keyboard.press('Home');
    await page().keyboard.press('F2');
    const box = page().locator('.rename-box input, .rename-input').first();
    await box.waitFor();
    await box.fill('towers');
    await page().keyboard.press('Enter');
    await until('the name changed', async () => {
      await save();
      return (text().match(/\btowers\b/g)?.length ?? 0) >= 4 && !/sources: \[train\]/.test(text());
    });
    assert.match(text(), /towers: \{ path: data\/train\.jsonl/);
    await workbench.picture('editor-renamed');
  });
});
