// Pictures of the example with their questions, as a sheet.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { hues, ink, text, toPng } from './svg';

interface Row {
  readonly question: string;
  readonly answer: number;
  readonly image: string;
}

const columns = 4;
const rows = 2;
/** Pixels; pictures are 112 wide and drawn larger, one pixel as several. */
const picture = 176;
const gap = 16;
const caption = 40;

export async function contactSheet(folder: string): Promise<Buffer> {
  const lines = readFileSync(path.join(folder, 'test.jsonl'), 'utf8').trim().split('\n');
  const shown = lines.slice(0, columns * rows).map(line => JSON.parse(line) as Row);
  const width = columns * (picture + gap) + gap;
  const height = rows * (picture + caption + gap) + gap;
  const at = (i: number): readonly [number, number] => [
    gap + (i % columns) * (picture + gap),
    gap + Math.floor(i / columns) * (picture + caption + gap),
  ];
  const body = shown.map(({ question, answer }, i) => {
    const [x, y] = at(i);
    const [first, second] = halves(question);
    return [
      text(x, y + picture + 16, first, { size: 11 }),
      text(x, y + picture + 31, second, { size: 11 }),
      text(x + picture, y + picture + 31, String(answer), { size: 12, anchor: 'end', fill: hues[1], bold: true }),
    ].join('');
  });
  const sheet = await toPng({ width, height, body: body.join('') });
  const pictures = await Promise.all(
    shown.map(async ({ image }, i) => {
      const [x, y] = at(i);
      const input = await sharp(path.join(folder, image))
        .resize(picture * 2, picture * 2, { kernel: 'nearest' })
        .toBuffer();
      return { input, left: x * 2, top: y * 2 };
    }),
  );
  return sharp(sheet)
    .composite(pictures)
    .flatten({ background: ink.paper })
    .png({ palette: true, colours: 256, effort: 10 })
    .toBuffer();
}

/** A question in two lines of about the same length. */
function halves(question: string): readonly [string, string] {
  const spaces = [...question.matchAll(/ /g)].map(({ index }) => index);
  const middle = question.length / 2;
  const cut = spaces.reduce((best, at) => (Math.abs(at - middle) < Math.abs(best - middle) ? at : best), 0);
  return [question.slice(0, cut), question.slice(cut + 1)];
}
