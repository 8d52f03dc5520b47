// node scripts/pictures.mjs: the pictures of docs/, from those that `npm run e2e` took, made small: 1200 pixels wide, with
// a palette. They stand in docs/pictures, which is not packed into the extension.

import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';

const root = path.join(import.meta.dirname, '..');
const taken = path.join(root, 'out', 'pictures');
const into = path.join(root, 'docs', 'pictures');

/** What a page shows, and the picture that it is. */
const shown = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map(i => [`first-hour-${i}`, `first-hour-${i}`])),
  'trace-tokens': 'trace-tokens-light',
  'trace-branches': 'trace-branches-light',
  'trace-forced-text': 'trace-forced-text',
  'trace-trial': 'rule-that-fails-light',
  'trace-high-contrast': 'trace-tokens-hc',
  'trace-editors': 'trace-split-light',
  'rules-fault': 'shared-rewards-fault',
  'rules-test': 'test-fails-light',
  'rules-hint': 'editor-hint',
  'rules-break': 'curves-break-light',
};

mkdirSync(into, { recursive: true });
for (const [name, picture] of Object.entries(shown)) {
  const from = path.join(taken, `${picture}.png`);
  if (!existsSync(from)) {
    console.log(`${name}: out/pictures has no ${picture}.png`);
    continue;
  }
  const to = path.join(into, `${name}.png`);
  await sharp(from).resize({ width: 1200 }).png({ palette: true, colours: 128, effort: 10 }).toFile(to);
  console.log(`${path.relative(root, to)}  ${(statSync(to).size / 1024).toFixed(0)} KiB`);
}
