// A long trace in a real Chromium: from the message that holds it to the frame that shows it, and the frames while it is
// stepped through by key.

import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { ViewState } from '../../src/protocol/views';
import { queryAnswers } from '../../test/webview/harness/query-answers';
import { serveViews } from '../../test/webview/harness/server';
import { type Figure, figureOf } from './figure';
import { framesWhile } from './frames';
import { longTrace } from './long-trace';

/** Of a screen that shows 60 a second. */
const frameMs = 1000 / 60;

const openings = 20;

/** What the page writes down of itself; runs in the page. */
interface Watched {
  /** When a key was pressed last. */
  asked: number;
  /** When the message with the rollout came. */
  arrived: number;
  /** When the frame that shows it was done. */
  painted: number;
}

export async function traceFigures(home: string, tokens: number): Promise<readonly Figure[]> {
  const program = process.env['TRIPHASE_CHROMIUM'];
  if (program === undefined || !existsSync(program)) {
    console.log('the trace: left out, TRIPHASE_CHROMIUM names no Chromium');
    return [];
  }
  const folder = await longTrace(home, tokens);
  const query = queryAnswers();
  const harness = await serveViews({ folders: [folder], answer: query.answer });
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
  const state: ViewState = { view: 'trace', folder, ref: { step: 1, group: 0, sample: 1 } };
  try {
    const painted: number[] = [];
    const whole: number[] = [];
    const work: number[] = [];
    const open = async (): Promise<{ readonly page: Page; readonly spent: () => Promise<number> }> => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      page.setDefaultTimeout(60_000);
      const spent = await spentBy(page);
      await page.addInitScript({ path: path.resolve('bench/edit/watch.js') });
      const asked = `${harness.url}/trace?${new URLSearchParams({ theme: 'dark', state: JSON.stringify(state) })}`;
      // the page says so itself: to be asked it would get a script of the driver's first, which takes its thread's time
      const painted = page.waitForEvent('console', message => message.text() === 'painted');
      await page.goto(asked, { waitUntil: 'commit' });
      await painted;
      return { page, spent };
    };
    const cold = await open();
    const first = [(await watchedOf(cold.page)).painted];
    await cold.page.close();
    for (let i = 0; i < openings; i++) {
      const { page, spent } = await open();
      work.push(await spent());
      const seen = await watchedOf(page);
      painted.push(seen.painted - seen.arrived);
      whole.push(seen.painted);
      await page.close();
    }
    const empty = await emptyPages(browser);
    const { page } = await open();
    await page.locator('.token-panel').waitFor();
    const next: number[] = [];
    for (let i = 0; i < openings; i++) {
      // with the tokens, so that the last one is done
      await page.locator('.token-panel').waitFor();
      const painted = page.waitForEvent('console', message => message.text() === 'painted');
      await page.keyboard.press(i % 2 === 0 ? ']' : '[');
      await painted;
      const seen = await watchedOf(page);
      next.push(seen.painted - seen.asked);
    }
    const stepped = async (what: string, before: readonly string[], key: string, times: number): Promise<Figure> => {
      for (const one of before) await page.keyboard.press(one);
      for (let i = 0; i < 10; i++) await afterFrame(page);
      const busy = await framesWhile(browser, page, async () => {
        for (let i = 0; i < times; i++) {
          await page.keyboard.press(key);
          // what is in sight now may be drawn in the next one
          for (let frame = 0; frame < 2; frame++) await afterFrame(page);
        }
      });
      if (busy.length !== times) throw new Error(`the trace of Chromium has ${busy.length} of ${times} keys`);
      const over = busy.filter(ms => ms > frameMs).length;
      return figureOf(`${what}${over === 0 ? '' : ` (${over} of ${busy.length} over a frame)`}`, busy, round(frameMs));
    };
    await stepped('', [], 'ArrowDown', 20);
    const figures = [
      figureOf(`${tokens} tokens: from the message to the screen`, painted, 300),
      figureOf('  another one in the same page, from its key', next, 300),
      figureOf('  in a new page, from the click', whole, 300),
      figureOf('  a new page with nothing in it, for comparison', empty),
      figureOf('  in a new page, and the query process is started for it', first),
      figureOf('  work of the thread of the page for all of it', work, 300),
      await stepped('200 tokens, one by one', ['Home', 'ArrowDown', 'ArrowRight'], 'ArrowRight', 200),
      await stepped('200 tokens with the heat of tokens', ['e'], 'ArrowRight', 200),
      await stepped('200 tokens with the table of the step', ['t'], 'ArrowRight', 200),
      await stepped('200 steps', ['t', 'Escape'], 'ArrowDown', 200),
      await stepped('200 uncertain tokens', [], 'u', 200),
      await stepped('to the last step, 20 times', ['Escape'], 'End', 20),
      await stepped('another heat of tokens, 100 times', ['Home'], 'e', 100),
    ];
    await page.close();
    return figures;
  } finally {
    await browser.close();
    await harness.close();
    await query.close();
  }
}

/** What the browser itself takes for a page: a line of text, from the click until it is drawn. */
async function emptyPages(browser: Browser): Promise<readonly number[]> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(emptyPage));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const painted: number[] = [];
  try {
    for (let i = 0; i < openings; i++) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
      const told = page.waitForEvent('console');
      await page.goto(`http://127.0.0.1:${port}`, { waitUntil: 'commit' });
      painted.push(Number((await told).text()));
      await page.close();
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
  return painted;
}

const emptyPage = `<!DOCTYPE html><body>nothing<script>
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => console.log(performance.now());
  requestAnimationFrame(() => port2.postMessage(null));
</script>`;

/** Of the thread of a page: what it takes does not depend on what else the machine does. */
async function spentBy(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0);
  };
}

/** Until a frame is done, and no longer. */
const afterFrame = (page: Page): Promise<void> =>
  page.evaluate(`new Promise(done => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done();
    port2.postMessage(null);
  }))`);

const round = (value: number): number => Math.round(value * 10) / 10;

const watchedOf = (page: Page): Promise<Watched> =>
  page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched);
