// A curriculum in the editor: the last run stands beside its rules, what is wrong is marked and mended, keys are offered and
// explained, hints lead to their evidence and are dismissed, and a rule is renamed wherever it is named.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareRecorded } from './lab';
import { pictureOfFailure, until, Workbench } from './workbench';

describe('a curriculum in the editor', () => {
  let workbench: Workbench;
  const file = () => path.join(workbench.folder, 'shapes', 'curriculum.yaml');
  const text = () => readFileSync(file(), 'utf8');
  const page = () => workbench.page;
  const editor = () => page().locator('.monaco-editor').first();

  /** To the end of a line, by the editor's own command. */
  async function toLine(line: number): Promise<void> {
    const box = page().locator('.quick-input-widget input.input');
    await workbench.pressUntil('Control+g', 'the box for a line', box);
    await box.fill(`:${line}`);
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
  const save = () => workbench.save();
  const action = (text: string) => page().locator('.action-widget .monaco-list-row', { hasText: text });
  const offered = (text: string) =>
    until(`the fix ${text}`, async () => {
      // before the light bulb is there it says that there is none
      await page().keyboard.press('Control+.');
      const there = action(text)
        .waitFor({ timeout: 3000 })
        .then(() => true);
      return there.catch(async () => {
        await page().keyboard.press('Escape');
        return undefined;
      });
    });
  const lens = (text: string | RegExp) => page().locator('.codelens-decoration a', { hasText: text }).first();

  before(async () => {
    workbench = await Workbench.open({
      vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '',
      prepare: folder => {
        prepareRecorded(folder);
        // a rule that several curricula could share, and that one phase weighs on its own
        const shared = 'rules:\n  brief: { kind: length, budget: 40, weight: 0.05 }\n';
        writeFileSync(path.join(folder, 'shapes', 'rewards.yaml'), shared);
        const config = path.join(folder, 'shapes', 'curriculum.yaml');
        const text = readFileSync(config, 'utf8')
          .replace('rewards:\n', 'rewards:\n  file: rewards.yaml\n')
          .replace(
            'id: image, view: image,',
            'id: image, view: image, rewards: { rules: { brief: { weight: 0.1 } } },',
          );
        writeFileSync(config, text);
      },
      settings: { 'editor.minimap.enabled': false },
    });
    await workbench.command('View: Show Explorer');
    const inExplorer = (name: string) =>
      page().locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).first();
    await inExplorer('shapes').click();
    await inExplorer('curriculum.yaml').dblclick();
    await editor().locator('.view-line').first().waitFor();
  });
  pictureOfFailure(() => workbench);
  after(() => workbench?.close());

  it('has the last run above phases and rules, and its means beside them', async () => {
    await lens('Run this phase').waitFor();
    await lens(/^last: /).waitFor();
    await lens(/^mean 0\.\d+/).waitFor();
    await editor()
      .locator('.view-line')
      .filter({ hasText: /accuracy\s*0\.\d+:/ })
      .waitFor();
    await workbench.look('editor-lenses');
  });

  it('leads from a rule to its rollouts, and from a phase to its prompts', async () => {
    await lens(/^mean 0\.\d+/).click();
    await workbench.view('main.rollouts .list [role=gridcell]');
    await page().locator('.tab', { hasText: 'curriculum.yaml' }).click();
    await lens('Preview').click();
    await workbench.view('body[data-view=preview] .prompt');
    await workbench.look('editor-preview');
    await page().keyboard.press('Control+1');
    await page().locator('.tab', { hasText: 'curriculum.yaml' }).click();
  });

  it('marks what a hint is about, leads to its evidence, and forgets it in the file', async () => {
    await editor().locator('.squiggly-info').first().waitFor({ timeout: 60_000 });
    await toLine(lineOf('boxed: {'));
    await page().keyboard.press('Home');
    await offered('Show the evidence');
    await workbench.picture('editor-hint');
    await action('Show the evidence').click();
    const rollouts = await workbench.view('main.rollouts .list [role=gridcell]');
    assert.match(await rollouts.locator('main').innerText(), /step 1\b/i);
    await page().locator('.tab', { hasText: 'curriculum.yaml' }).click();
    await toLine(lineOf('boxed: {'));
    await page().keyboard.press('Home');
    await offered('This is not a problem');
    await action('This is not a problem').click();
    await save();
    await until('the hint dismissed in the file', async () => /boxed: .* # not a problem: never-fires/.test(text()));
    await until('no hint', async () => (await editor().locator('.squiggly-info').count()) === 0);
  });

  it('forgets it from the dashboard too, in the same place', async () => {
    const mark = ' # not a problem: never-fires';
    writeFileSync(file(), text().replace(mark, ''));
    await workbench.command('Triphase: Open Dashboard');
    const dashboard = await workbench.view('main.dashboard .hints li');
    const hint = dashboard.locator('.hints li', { hasText: 'boxed' });
    await hint.getByRole('button', { name: 'This is no problem' }).click();
    await until('the hint dismissed in the file', async () => text().includes(mark));
    await hint.waitFor({ state: 'detached' });
    await workbench.command('View: Close Editor');
    await page().locator('.tab.active', { hasText: 'curriculum.yaml' }).waitFor();
    await until('no hint', async () => (await editor().locator('.squiggly-info').count()) === 0);
  });

  it('marks a mistyped key as it is typed, and mends it', async () => {
    await toLine(lineOf('seed: 1'));
    await page().keyboard.type('\nthraeds: 2');
    await page().keyboard.press('Escape');
    await editor().locator('.squiggly-error').first().waitFor();
    await offered("Change to 'threads'");
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
    const meaning = page().locator('.monaco-hover', { hasText: 'How completions are sampled' }).first();
    await until('what the key means', async () => {
      await page().keyboard.press('Control+k');
      await page().keyboard.press('Control+i');
      // it is taken away where a line above comes or goes just then
      await meaning.waitFor({ timeout: 5000 });
      return true;
    });
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

  it('renames a rule wherever it is named, in the file that curricula share too', async () => {
    const shared = () => readFileSync(path.join(workbench.folder, 'shapes', 'rewards.yaml'), 'utf8');
    await toLine(lineOf('brief:'));
    await workbench.typeAfter('rules: { br', '');
    await page().keyboard.press('F2');
    const box = page().locator('.rename-box input, .rename-input').first();
    await box.waitFor();
    assert.equal(await box.inputValue(), 'brief');
    await box.fill('short');
    await page().keyboard.press('Enter');
    await workbench.command('File: Save All');
    await until(
      'the name changed in both',
      async () => /rules: \{ short:/.test(text()) && /^ {2}short:/m.test(shared()),
    );
    assert.doesNotMatch(text() + shared(), /brief/);
    await workbench.look('editor-rule-renamed');
  });

  it('runs a phase by its lens', async () => {
    const before = workbench.runs();
    await lens('Run this phase').click();
    const run = await until('a run of it', async () => workbench.runs().find(one => !before.includes(one)));
    const info = JSON.parse(readFileSync(path.join(run, 'run.json'), 'utf8')) as Readonly<Record<string, unknown>>;
    assert.equal(info['onlyPhase'], 'text');
  });
});
