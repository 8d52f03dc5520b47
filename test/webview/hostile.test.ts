// Text that would do something if it could: it shows as text and changes nothing, in every view.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { RolloutRecord } from '../../src/protocol/rollout-record';
import { inChromium } from './in-chromium';
import { recordLab } from './lab';

const scripts = [
  '<script>document.body.dataset.taken = 1</script>',
  '<img src=x onerror="document.body.dataset.taken = 1">',
  '<svg onload="document.body.dataset.taken = 1">',
  '<iframe srcdoc="<script>top.document.body.dataset.taken = 1</script>"></iframe>',
  '"><style>* { display: none }</style>',
  'data:text/html,<script>alert(1)</script>',
  'javascript:alert(1)',
  '</div></main><h1>taken</h1>',
].join(' ');
/** Turns what follows round, cannot be seen, or is half of a character. */
const unseen = 'a\u202eb\u2066c\u0000d\u001b[31me\u200bf\u{e0041}g\ud83dh\r';
const long = `long ${'x'.repeat(10 * 2 ** 20)}`;

describe('hostile text', function () {
  this.timeout(60_000);
  const parent = mkdtempSync(path.join(tmpdir(), 'triphase-views-'));
  const folder = path.join(parent, 'towers');
  before(async () => {
    const completions = [scripts, unseen, long];
    await recordLab(parent, {
      columns: (step, group, sample): Partial<RolloutRecord> => {
        const completion = step === 12 && group === 0 ? completions[sample] : undefined;
        if (completion === undefined) return {};
        return { completion, answer: completion.slice(0, 300), gold: scripts, prompt: scripts, example: scripts };
      },
    });
  });
  const views = inChromium({
    folders: () => [folder],
    preview: async () => ({
      sources: [],
      prompts: [
        {
          example: {
            id: scripts,
            source: scripts,
            question: scripts,
            answer: scripts,
            answerKind: 'string',
            images: [],
          },
          view: 'text',
          text: `${scripts}${unseen}`,
          tokens: 1,
          maxTokens: 2,
          images: [],
          completions: [],
          payments: [
            {
              what: 'gold',
              completion: scripts,
              scored: {
                reward: 0,
                outcome: 'wrong',
                answer: scripts,
                rules: { accuracy: { score: 0, why: scripts, spans: [] } },
              },
            },
          ],
        },
      ],
    }),
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  const untouched = async (page: Page): Promise<void> => {
    const found = await page.evaluate(() => ({
      taken: document.body.dataset['taken'],
      markup: document.querySelectorAll('iframe, svg[onload], img[onerror], main style, main script, h1 ~ h1').length,
      title: document.querySelectorAll('h1').length,
      seen: document.querySelector('main')?.getClientRects().length,
    }));
    assert.deepEqual(found, { taken: undefined, markup: 0, title: 1, seen: 1 });
  };

  it('in a list of rollouts, and beside it', async () => {
    const page = await views.open({ view: 'rollouts', folders: [folder], step: 12 });
    await page.locator('.row').first().waitFor();
    const completion = (row: number) => page.locator('.row').nth(row).locator('.cell-completion');
    assert.ok((await completion(0).textContent())?.startsWith('<script>document.body'));
    assert.equal(
      await completion(1).textContent(),
      'aU+202EbU+2066c␀d␛[31meU+200BfU+E0041gU+D83Dh␍'.replace('U+D83D', '�'),
    );
    for (const row of [0, 1, 2]) {
      await completion(row).click();
      await page.waitForFunction(
        sample => document.querySelector('.detail h2')?.textContent?.endsWith(`sample ${sample}`),
        row,
      );
    }
    assert.match((await page.locator('.detail .completion').textContent()) ?? '', /more characters$/);
    await page.getByRole('button', { name: 'Show more' }).click();
    await untouched(page);
  });

  it('two at a time', async () => {
    const page = await views.open({ view: 'rollouts', folders: [folder], step: 12 });
    await page.locator('.row').first().click();
    await page.getByRole('button', { name: 'Beside another step or run' }).click();
    await page.locator('.side .compared').first().waitFor();
    await untouched(page);
  });

  it('in a trace, step by step', async () => {
    for (const sample of [0, 1, 2]) {
      const page = await views.open({ view: 'trace', folder, ref: { step: 12, group: 0, sample } });
      await page.locator('.step[aria-current=step]').waitFor();
      for (const key of ['e', 'ArrowRight', 'ArrowDown', 'r', 'f', 't', 'b']) await page.keyboard.press(key);
      await untouched(page);
    }
  });

  it('in the dashboard, which does not show it', async () => {
    const page = await views.open({ view: 'dashboard', folders: [folder] });
    await page.locator('.card-reward canvas').waitFor();
    await untouched(page);
  });

  it('in a preview', async () => {
    const page = await views.open({ view: 'preview', config: scripts, phase: scripts });
    await page.locator('.prompt').first().waitFor();
    assert.ok((await page.locator('.prompt .completion').textContent())?.startsWith('<script>'));
    await untouched(page);
  });
});
