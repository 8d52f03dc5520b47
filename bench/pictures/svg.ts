// What the pictures have in common: colours, text, axes, and how SVG becomes PNG.

import sharp from 'sharp';

export const ink = { text: '#24292f', faint: '#6e7781', grid: '#d8dee4', paper: '#ffffff' } as const;
/** Okabe and Ito's colours, which nearly everybody can tell apart. */
export const hues = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8c6d00'] as const;

export interface Svg {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

export const toPng = ({ width, height, body }: Svg): Promise<Buffer> =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12"><rect width="100%" height="100%" fill="${ink.paper}"/>${body}</svg>`,
    ),
    { density: 144 },
  )
    .png({ palette: true, effort: 10 })
    .toBuffer();

type Anchor = 'start' | 'middle' | 'end';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const text = (
  x: number,
  y: number,
  words: string,
  {
    anchor = 'start',
    fill = ink.text,
    size = 12,
    bold = false,
  }: { anchor?: Anchor; fill?: string; size?: number; bold?: boolean } = {},
): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${fill}" font-size="${size}"${bold ? ' font-weight="bold"' : ''}>${escaped(words)}</text>`;

export const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, more = ''): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${stroke}" ${more}/>`;

export const polyline = (points: readonly (readonly [number, number])[], stroke: string, more = ''): string =>
  `<polyline points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}" fill="none" stroke="${stroke}" stroke-linejoin="round" ${more}/>`;
