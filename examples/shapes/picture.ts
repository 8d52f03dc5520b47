// One picture of the world: four towers in a landscape, each as many floors high as its value says.
import { Random } from '../../src/protocol/random';
import { brighter, Canvas, type Colour, clamp, ellipse, hex, lit, mix, roundedBox, trapezium } from './canvas';
import { type Light, lights, paintLandscape } from './landscape';

export const colours = ['red', 'blue', 'green', 'yellow'] as const;
export type ColourName = (typeof colours)[number];

/** A tower: its colour and its floors, 1 to 5. */
export interface Tower {
  readonly colour: ColourName;
  readonly floors: number;
}

/** What the towers of a picture are built of. */
export const styles = ['blocks', 'pots', 'houses', 'lanterns'] as const;
export type Style = (typeof styles)[number];

/** Pixels: the picture's side, a tower's slot, a floor's height, the line on which the towers stand. */
export const pictureSide = 112;
const slotWidth = pictureSide / 4;
const floorHeight = 14;
const ground = 100;

const paints: Readonly<Record<ColourName, Colour>> = {
  red: hex('#d8392f'),
  blue: hex('#2f62d6'),
  green: hex('#2f9e4c'),
  yellow: hex('#f2c230'),
};

interface Floor {
  readonly canvas: Canvas;
  readonly random: Random;
  readonly light: Light;
  readonly paint: Colour;
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly isTop: boolean;
  /** -1 when the light comes from the left, 1 from the right. */
  readonly side: number;
}

/** Rounder to the eye: brighter towards the light, darker away from it and at the foot. */
function shaded(floor: Floor, paint: Colour, halfWidth: number): (x: number, y: number) => Colour {
  const { x: cx, top, bottom, side } = floor;
  return (x, y) => {
    const across = ((x - cx) / halfWidth) * side;
    const down = (y - top) / (bottom - top);
    return brighter(paint, 1.02 + 0.16 * across - 0.14 * clamp(down));
  };
}

function paintBlock(floor: Floor): void {
  const { canvas, random, paint, top, bottom } = floor;
  const x = floor.x + (random.uniform() - 0.5) * 1.4;
  const y = (top + bottom) / 2;
  const box = { left: x - 12, top: top - 1, right: x + 12, bottom: bottom + 1 };
  canvas.fill(box, roundedBox(x, y, 20, bottom - top, 2.4), brighter(paint, 0.62));
  canvas.fill(box, roundedBox(x, y - 0.3, 18.2, bottom - top - 1.8, 1.8), shaded(floor, paint, 10));
  canvas.fill(box, roundedBox(x, top + 2, 15, 1, 0.5), mix(paint, [1, 1, 1], 0.55), 0.7);
  canvas.fill(box, ellipse(x, y + 0.4, 3, 3), brighter(paint, 0.78), 0.75);
  canvas.fill(box, ellipse(x, y + 0.4, 1.7, 1.7), mix(paint, [1, 1, 1], 0.35), 0.8);
}

function paintPot(floor: Floor): void {
  const { canvas, random, paint, x, top, bottom, light } = floor;
  const box = { left: x - 12, top: top - 12, right: x + 12, bottom: bottom + 1 };
  if (floor.isTop) {
    const leaf = lit(hex('#4d7a4a'), light.tint);
    for (let i = 0; i < 5; i++) {
      const lean = (i - 2) * 3 + (random.uniform() - 0.5) * 2;
      canvas.fill(box, ellipse(x + lean, top - 2 - random.uniform() * 2, 1.5, 3.2), brighter(leaf, 0.8 + 0.12 * i));
    }
    const petal = lit(random.pick([hex('#ffffff'), hex('#fbe3ee'), hex('#f3ecff')]), light.tint);
    for (let i = 0; i < 3; i++)
      canvas.fill(box, ellipse(x - 5 + 5 * i, top - 4 - 2 * random.uniform(), 1.7, 1.6), petal);
  }
  const body = trapezium(x, top + 3, bottom, 17, 13);
  canvas.fill(box, body, shaded(floor, paint, 9));
  canvas.fill(box, roundedBox(x, top + 5.4, 17, 1.6, 0.5), brighter(paint, 0.6), 0.6, 2);
  canvas.fill(box, roundedBox(x, top + 2.4, 21, 4.8, 1.4), brighter(paint, 0.6));
  canvas.fill(box, roundedBox(x, top + 2.2, 19.8, 3.8, 1.1), shaded(floor, brighter(paint, 1.06), 10));
  canvas.fill(box, roundedBox(x, bottom - 3.5, 9, 1, 0.4), mix(paint, [1, 1, 1], 0.5), 0.55);
}

function paintHouse(floor: Floor): void {
  const { canvas, paint, x, top, bottom, light } = floor;
  const y = (top + bottom) / 2;
  const box = { left: x - 14, top: top - 12, right: x + 14, bottom: bottom + 1 };
  if (floor.isTop) {
    const slate = lit(hex('#5b5661'), light.tint);
    canvas.fill(box, trapezium(x, top - 9, top + 0.5, 1.5, 23), (px, py) =>
      brighter(slate, 1 + 0.2 * Math.sign((px - x) * floor.side) - 0.12 * (Math.floor(py / 2) % 2)),
    );
  }
  canvas.fill(box, roundedBox(x, y, 18.5, bottom - top + 0.2, 0.3), shaded(floor, paint, 9));
  canvas.fill(box, roundedBox(x, bottom - 0.9, 20, 1.8, 0.5), brighter(paint, 0.58));
  const pane = light.lamps ? hex('#ffe9b8') : lit(hex('#e9f2f7'), light.tint);
  for (const shift of [-4.6, 4.6]) {
    canvas.fill(box, roundedBox(x + shift, y - 0.5, 5.4, 7.4, 0.8), brighter(paint, 0.5));
    canvas.fill(box, roundedBox(x + shift, y - 0.5, 3.9, 5.9, 0.5), (_, py) =>
      brighter(pane, 1.05 - 0.02 * (py - top)),
    );
    canvas.fill(box, roundedBox(x + shift, y - 0.5, 0.7, 6, 0), brighter(paint, 0.5), 0.8);
  }
}

function paintLantern(floor: Floor): void {
  const { canvas, paint, x, top, bottom, light } = floor;
  const y = (top + bottom) / 2;
  const box = { left: x - 16, top: top - 8, right: x + 16, bottom: bottom + 5 };
  if (light.lamps)
    canvas.wash(
      box,
      () => mix(paint, [1, 0.9, 0.7], 0.4),
      (px, py) => 0.3 * Math.exp(-((px - x) ** 2 / 110 + (py - y) ** 2 / 60)),
    );
  const wood = lit(hex('#5a4436'), light.tint);
  if (floor.isTop) canvas.fill(box, roundedBox(x, top - 2.4, 1.2, 5, 0.5), wood);
  const glow = light.lamps ? 0.4 : 0.16;
  canvas.fill(box, roundedBox(x, y, 20, bottom - top - 1.6, 5.4), brighter(paint, 0.66));
  canvas.fill(box, roundedBox(x, y, 18.8, bottom - top - 2.8, 5), (px, py) => {
    const centre = Math.exp(-((px - x) ** 2 / 40 + (py - y) ** 2 / 22));
    const rib = 0.5 + 0.5 * Math.cos((py - y) * 2.1);
    return mix(brighter(paint, 0.9 + 0.12 * rib), [1, 0.96, 0.82], glow * centre);
  });
  for (const edge of [top + 0.7, bottom - 0.7]) canvas.fill(box, roundedBox(x, edge, 9, 1.8, 0.6), wood);
}

const painters: Readonly<Record<Style, (floor: Floor) => void>> = {
  blocks: paintBlock,
  pots: paintPot,
  houses: paintHouse,
  lanterns: paintLantern,
};

/** A shadow on the meadow, away from the sun. */
function paintShadow(canvas: Canvas, light: Light, x: number, y: number, sunX: number): void {
  const lean = clamp((x - sunX) / pictureSide, -0.6, 0.6) * 14;
  const box = { left: x - 26, top: y - 5, right: x + 26, bottom: y + 8 };
  canvas.fill(box, ellipse(x + lean, y + 1, 13, 3), brighter(light.meadow[1], 0.45), 0.6, 4);
}

/** Film grain in luminance, a little of it in colour, and darker corners. `grain` is a standard deviation in 0..1. */
function develop(canvas: Canvas, random: Random, grain: number): void {
  const { colours: values, width, height } = canvas;
  const noise = Float32Array.from({ length: 1024 }, () => random.normal());
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const fromCentre = ((column / width - 0.5) ** 2 + (row / height - 0.5) ** 2) * 2;
      const vignette = 1 - 0.16 * fromCentre * fromCentre;
      const bits = random.bits();
      const luminance = 0.85 * (noise[bits & 1023] as number);
      const at = (row * width + column) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const chroma = 0.5 * (noise[(bits >>> (10 + 7 * channel)) & 1023] as number);
        values[at + channel] = (values[at + channel] as number) * vignette + grain * (luminance + chroma);
      }
    }
  }
}

/** Standard deviation of the film grain, of the full range. */
export const filmGrain = 0.035;

/** Paints `towers` from left to right; everything that the values do not say comes from `path`. */
export function paintPicture(towers: readonly Tower[], path: readonly (number | string)[], grain = filmGrain): Canvas {
  const random = new Random(...path);
  const canvas = new Canvas(pictureSide, pictureSide);
  const light = random.pick(lights);
  const style = random.pick(styles);
  const sunX = paintLandscape(canvas, random, light, ground);
  towers.forEach((tower, slot) => {
    const x = (slot + 0.5) * slotWidth + (random.uniform() - 0.5) * 4;
    const foot = ground + (random.uniform() - 0.5) * 4;
    const shift = () => (random.uniform() - 0.5) * 0.1;
    const [r, g, b] = lit(paints[tower.colour], light.tint);
    const paint: Colour = [clamp(r + shift()), clamp(g + shift()), clamp(b + shift())];
    paintShadow(canvas, light, x, foot, sunX);
    for (let floor = 0; floor < tower.floors; floor++) {
      painters[style]({
        canvas,
        random,
        light,
        paint,
        x,
        top: foot - (floor + 1) * floorHeight,
        bottom: foot - floor * floorHeight,
        isTop: floor === tower.floors - 1,
        side: sunX < x ? -1 : 1,
      });
    }
  });
  develop(canvas, random, grain);
  return canvas;
}
