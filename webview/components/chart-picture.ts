// A chart to take along: with its title and its legend on the theme's background.

import { h } from '../dom';
import type { ThemeColors } from '../theme';
import { dashes, toneOf } from './chart-lines';
import type { Figure } from './figure';

/** @returns a PNG's base64 */
export function chartPicture(
  source: HTMLCanvasElement,
  figure: Figure,
  hidden: ReadonlySet<string>,
  theme: ThemeColors,
): string {
  const scale = devicePixelRatio;
  const canvas = h('canvas');
  const head = 40 * scale;
  canvas.width = source.width;
  canvas.height = source.height + head;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = theme.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, head);
  context.scale(scale, scale);
  context.fillStyle = theme.foreground;
  context.font = theme.font.replace('11px', '600 13px');
  context.fillText(figure.title, 8, 16);
  context.font = theme.font;
  let left = 8;
  for (const line of figure.lines.filter(({ id }) => !hidden.has(id))) {
    context.strokeStyle = toneOf(theme, line);
    context.lineWidth = 2;
    context.setLineDash([...(dashes[line.dash % dashes.length] ?? [])]);
    context.beginPath();
    context.moveTo(left, 30);
    context.lineTo(left + 16, 30);
    context.stroke();
    context.fillText(line.label, left + 20, 34);
    left += 32 + context.measureText(line.label).width;
  }
  return canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
}
