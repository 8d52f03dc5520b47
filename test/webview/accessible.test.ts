// No view has anything that axe finds, under any of the four default themes; with the pictures that CI keeps.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import type { PhasePreview } from '../../src/protocol/preview';
import { type Theme, themes } from './harness/server';
import { inChromium, picture } from './in-chromium';
import { recordLab } from './lab';

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

describe('accessibility', function () {
  this.timeout(60_000);
  const parent = mkdtempSync(path.join(tmpdir(), 'triphase-views-'));
  const folder = path.join(parent, 'towers');
  const other = path.join(parent, 'other');
  before(async () => {
    await recordLab(parent);
    await recordLab(parent, { name: 'other', lift: 0.1, seed: 2 });
  });
  after(() => rmSync(parent, { recursive: true, force: true }));
  const views = inChromium({ folders: () => [folder, other], preview: async () => preview(parent) });

  for (const theme of Object.keys(themes) as Theme[]) {
    it(`the dashboard, in ${theme}`, async () => {
      const page = await views.open({ view: 'dashboard', folders: [folder] }, { theme });
      await page.locator('.card-speed canvas').waitFor();
      await page.locator('.card-loss').getByRole('button', { name: 'Show the numbers as a table' }).click();
      await page.locator('.card-loss tbody tr').first().waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `dashboard-${theme}`);
    });

    it(`the dashboard with two runs, in ${theme}`, async () => {
      const page = await views.open({ view: 'dashboard', folders: [folder, other] }, { theme });
      await page.locator('.run-chip').first().waitFor();
      await page.locator('.difference summary').click();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `dashboard-two-runs-${theme}`);
    });

    it(`the rollouts, in ${theme}`, async () => {
      const page = await views.open({ view: 'rollouts', folders: [folder], step: 9 }, { theme });
      await page.locator('.row').nth(1).click();
      await page.locator('.detail h2').waitFor();
      await page.locator('.bin').first().waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `rollouts-${theme}`);
      await page.getByRole('button', { name: 'Columns' }).click();
      assert.deepEqual(await complaints(page), []);
    });

    it(`two steps side by side, in ${theme}`, async () => {
      const page = await views.open({ view: 'rollouts', folders: [folder], step: 9 }, { theme });
      await page.locator('.row').nth(1).click();
      await page.getByRole('button', { name: 'Beside another step or run' }).click();
      await page.locator('.side').nth(1).locator('.compared').first().waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `comparison-${theme}`);
    });

    it(`the trace, in ${theme}`, async () => {
      const page = await views.open({ view: 'trace', folder, ref: { step: 9, group: 1, sample: 2 } }, { theme });
      await page.locator('.step[aria-current=step]').waitFor();
      await page.locator('.timeline .sibling').first().waitFor();
      for (const key of ['e', 't', 'ArrowDown', 'ArrowRight', '?', 'b']) await page.keyboard.press(key);
      await page.locator('.branches vscode-button').waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `trace-${theme}`);
    });

    it(`the preview, in ${theme}`, async () => {
      const page = await views.open({ view: 'preview', config: '/curriculum.yaml', phase: 'image' }, { theme });
      await page.locator('.prompt').first().waitFor();
      assert.deepEqual(await complaints(page), []);
      await picture(page, `preview-${theme}`);
    });
  }
});

/** Each with the elements that it is about. */
async function complaints(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
}

const preview = (parent: string): PhasePreview => ({
  sources: [
    {
      source: 'train',
      examples: 9,
      dropped: [{ reason: 'there is no answer', count: 2, first: { file: 'train.jsonl', line: 3 } }],
      refused: [],
    },
  ],
  prompts: [40, 200].map((tokens, i) => ({
    example: {
      id: `row-${i}`,
      source: 'train',
      question: 'How many?',
      answer: '3',
      answerKind: 'number',
      images: [path.join(parent, 'image.png')],
    },
    view: 'image',
    text: '<|im_start|>user\n<|image_pad|>How many?<|im_end|>\n',
    tokens,
    maxTokens: 128,
    images: [{ file: path.join(parent, 'image.png'), width: 8, height: 8, seenWidth: 28, seenHeight: 28, tokens: 1 }],
    completions: [],
    payments: (['gold', 'wrong'] as const).map(what => ({
      what,
      completion: '<answer>3</answer>',
      scored: {
        reward: what === 'gold' ? 1 : 0.1,
        outcome: what === 'gold' && i === 0 ? 'right' : 'wrong',
        answer: '3',
        rules: { accuracy: { score: what === 'gold' ? 1 : 0, why: '3 is 3', spans: [] } },
      },
    })),
  })),
});
