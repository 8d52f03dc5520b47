// A small canvas of floating-point colours. Shapes are signed distances in pixels (negative inside); an edge is one
// pixel soft, so that nothing is jagged and no font, driver or library has a say in what the pictures look like.
import sharp from 'sharp';

/** Red, green and blue in 0..1, as on the screen (not linear light). */
export type Colour = readonly [number, number, number];

/** Signed distance in pixels from the shape's edge at a point. */
export type Shape = (x: number, y: number) => number;

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function hex(code: string): Colour {
  const value = Number.parseInt(code.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** The colour times a factor in each channel. */
export function lit(colour: Colour, light: Colour): Colour {
  return [colour[0] * light[0], colour[1] * light[1], colour[2] * light[2]];
}

export function brighter(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}

export const clamp = (value: number, low = 0, high = 1): number => Math.min(high, Math.max(low, value));

/** A box with round corners around (x, y). */
export function roundedBox(cx: number, cy: number, width: number, height: number, radius: number): Shape {
  const halfWidth = width / 2 - radius;
  const halfHeight = height / 2 - radius;
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth;
    const dy = Math.abs(y - cy) - halfHeight;
    if (dx <= 0 || dy <= 0) return Math.max(dx, dy) - radius;
    return Math.sqrt(dx * dx + dy * dy) - radius;
  };
}

/** An ellipse; the distance is exact only for a circle, and close enough for an edge. */
export function ellipse(cx: number, cy: number, rx: number, ry: number): Shape {
  const scale = Math.min(rx, ry);
  return (x, y) => {
    const dx = (x - cx) / rx;
    const dy = (y - cy) / ry;
    return (Math.sqrt(dx * dx + dy * dy) - 1) * scale;
  };
}

/** A trapezium with horizontal edges at `top` and `bottom`. */
export function trapezium(cx: number, top: number, bottom: number, topWidth: number, bottomWidth: number): Shape {
  const slope = (bottomWidth - topWidth) / 2 / (bottom - top);
  const across = 1 / Math.sqrt(1 + slope * slope);
  return (x, y) => {
    const side = (Math.abs(x - cx) - topWidth / 2 - (y - top) * slope) * across;
    return Math.max(side, top - y, y - bottom);
  };
}

export class Canvas {
  /** Row by row, three channels a pixel. */
  readonly colours: Float32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.colours = new Float32Array(width * height * 3);
  }

  /** Covers `box` with a colour that depends on the place; `opacity` in 0..1 may do so too. */
  wash(box: Box, colour: (x: number, y: number) => Colour, opacity: (x: number, y: number) => number): void {
    const { colours, width, height } = this;
    const right = Math.min(width, Math.ceil(box.right));
    const bottom = Math.min(height, Math.ceil(box.bottom));
    for (let row = Math.max(0, Math.floor(box.top)); row < bottom; row++) {
      for (let column = Math.max(0, Math.floor(box.left)); column < right; column++) {
        const x = column + 0.5;
        const y = row + 0.5;
        const share = opacity(x, y);
        if (share <= 0) continue;
        const paint = colour(x, y);
        const at = (row * width + column) * 3;
        for (let channel = 0; channel < 3; channel++) {
          const below = colours[at + channel] as number;
          colours[at + channel] = below + ((paint[channel] as number) - below) * Math.min(1, share);
        }
      }
    }
  }

  /** Covers everything with a colour that depends on the height alone. */
  fillRows(colour: (y: number) => Colour): void {
    for (let row = 0; row < this.height; row++) {
      const paint = colour(row + 0.5);
      for (let at = row * this.width * 3; at < (row + 1) * this.width * 3; at += 3) this.colours.set(paint, at);
    }
  }

  /** Fills a shape inside `box`. `soft` is the width of its edge in pixels. */
  fill(box: Box, shape: Shape, colour: Colour | ((x: number, y: number) => Colour), opacity = 1, soft = 1): void {
    const paint = typeof colour === 'function' ? colour : () => colour;
    this.wash(box, paint, (x, y) => opacity * clamp(0.5 - shape(x, y) / soft));
  }

  /** The pixels as bytes, rounded to the nearest. */
  bytes(): Uint8ClampedArray {
    const out = new Uint8ClampedArray(this.colours.length);
    for (let i = 0; i < out.length; i++) out[i] = (this.colours[i] as number) * 255;
    return out;
  }

  png(): Promise<Buffer> {
    const raw = { width: this.width, height: this.height, channels: 3 } as const;
    return sharp(this.bytes(), { raw }).png({ compressionLevel: 4 }).toBuffer();
  }
}
