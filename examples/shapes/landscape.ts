// The land behind the towers: sky, sun or moon, clouds, hills and a meadow, at six times of the day.
import type { Random } from '../../src/protocol/random';
import { type Canvas, type Colour, clamp, ellipse, hex, mix, type Shape } from './canvas';

export interface Light {
  readonly name: string;
  /** From the zenith down to the horizon. */
  readonly sky: readonly [Colour, Colour, Colour];
  readonly sun: Colour;
  /** From far to near. */
  readonly hills: readonly [Colour, Colour, Colour];
  readonly meadow: readonly [Colour, Colour];
  /** What the light does to the colour of a tower. */
  readonly tint: Colour;
  readonly stars: boolean;
  /** Windows and lanterns glow. */
  readonly lamps: boolean;
}

const sky = (a: string, b: string, c: string): readonly [Colour, Colour, Colour] => [hex(a), hex(b), hex(c)];

export const lights: readonly Light[] = [
  {
    name: 'morning',
    sky: sky('#8cb6de', '#cbdfe9', '#fde2c2'),
    sun: hex('#fff4d6'),
    hills: sky('#b9c8da', '#98b3a8', '#7fa070'),
    meadow: [hex('#a5b978'), hex('#7d9a58')],
    tint: [1, 0.97, 0.92],
    stars: false,
    lamps: false,
  },
  {
    name: 'noon',
    sky: sky('#4a98dc', '#88c3ee', '#d9effa'),
    sun: hex('#fffdf0'),
    hills: sky('#a2c4d8', '#86b09a', '#6c9a72'),
    meadow: [hex('#93b26c'), hex('#6b9150')],
    tint: [1, 1, 1],
    stars: false,
    lamps: false,
  },
  {
    name: 'golden hour',
    sky: sky('#7ea6cf', '#f0d8ac', '#f8bf78'),
    sun: hex('#fff1c0'),
    hills: sky('#c8a98e', '#aa9266', '#8f8852'),
    meadow: [hex('#bba962'), hex('#938a48')],
    tint: [1.04, 0.95, 0.82],
    stars: false,
    lamps: false,
  },
  {
    name: 'dusk',
    sky: sky('#3e3b7a', '#a25c8e', '#f79c6c'),
    sun: hex('#ffd9a0'),
    hills: sky('#7c5280', '#5d466c', '#4a3f5a'),
    meadow: [hex('#5a5560'), hex('#434650')],
    tint: [0.93, 0.8, 0.86],
    stars: false,
    lamps: true,
  },
  {
    name: 'night',
    sky: sky('#0c1536', '#20336a', '#4a6b9c'),
    sun: hex('#f4f1de'),
    hills: sky('#31466e', '#25385f', '#1d2e4c'),
    meadow: [hex('#2a4648'), hex('#1a3236')],
    tint: [0.7, 0.74, 0.9],
    stars: true,
    lamps: true,
  },
  {
    name: 'mist',
    sky: sky('#a6b2bc', '#c3ccd2', '#e0e6e7'),
    sun: hex('#f6f7f2'),
    hills: sky('#b7c2c7', '#9aaba9', '#82958c'),
    meadow: [hex('#94a48a'), hex('#76896e')],
    tint: [0.92, 0.94, 0.95],
    stars: false,
    lamps: false,
  },
];

/** A ridge: height of the skyline at x, as a sum of three waves. */
function ridge(random: Random, level: number, relief: number): (x: number) => number {
  const waves = [0.035, 0.075, 0.16].map((frequency, i) => ({
    frequency: frequency * (0.8 + 0.4 * random.uniform()),
    phase: 2 * Math.PI * random.uniform(),
    height: (relief / (i + 1)) * (0.6 + 0.4 * random.uniform()),
  }));
  return x => waves.reduce((height, wave) => height - wave.height * Math.sin(x * wave.frequency + wave.phase), level);
}

function paintSky(canvas: Canvas, light: Light, horizon: number): void {
  const [top, middle, low] = light.sky;
  canvas.fillRows(y => {
    const share = clamp(y / horizon);
    return share < 0.55 ? mix(top, middle, share / 0.55) : mix(middle, low, (share - 0.55) / 0.45);
  });
}

function paintSun(canvas: Canvas, random: Random, light: Light, horizon: number, x: number): void {
  const y = light.lamps && !light.stars ? horizon - 22 - 10 * random.uniform() : 12 + 14 * random.uniform();
  const radius = light.stars ? 6 : 7.5;
  const glow = { left: x - 38, top: y - 38, right: x + 38, bottom: y + 38 };
  canvas.wash(
    glow,
    () => light.sun,
    (px, py) =>
      (light.stars ? 0.3 : 0.55) * Math.exp(-((px - x) ** 2 + (py - y) ** 2) / (light.name === 'mist' ? 700 : 330)),
  );
  const disc = ellipse(x, y, radius, radius);
  const bite = ellipse(x + 3.2, y - 1.6, radius - 0.4, radius - 0.4);
  const moon: Shape = (px, py) => Math.max(disc(px, py), -bite(px, py));
  canvas.fill(glow, light.stars ? moon : disc, light.sun, 0.95, 1.3);
}

function paintStars(canvas: Canvas, random: Random, horizon: number): void {
  for (let i = 0; i < 34; i++) {
    const x = random.uniform() * canvas.width;
    const y = random.uniform() ** 1.4 * horizon * 0.85;
    const size = 0.35 + 0.5 * random.uniform();
    const box = { left: x - 2, top: y - 2, right: x + 2, bottom: y + 2 };
    canvas.fill(box, ellipse(x, y, size, size), [1, 0.98, 0.9], 0.9, 1.2);
  }
}

function paintCloud(canvas: Canvas, random: Random, light: Light, x: number, y: number): void {
  const colour = mix(light.sun, light.sky[1], light.stars ? 0.85 : 0.3);
  const width = 11 + 9 * random.uniform();
  const puffs = Array.from({ length: 5 }, (_, i) => {
    const along = (i / 4) * 2 - 1;
    const rise = (1 - along * along) * (2.5 + 2.5 * random.uniform());
    return ellipse(x + along * width, y - rise, 5 + 3 * random.uniform(), 3 + rise * 0.7);
  });
  const box = { left: x - width - 10, top: y - 16, right: x + width + 10, bottom: y + 6 };
  // flat below, round above, brighter where the sun falls on it
  const shape = (px: number, py: number): number =>
    Math.max(
      puffs.reduce((least, puff) => Math.min(least, puff(px, py)), 99),
      py - y - 1.5,
    );
  canvas.fill(
    box,
    shape,
    (_, py) => mix(colour, light.sky[1], clamp((py - y + 6) / 14)),
    light.stars ? 0.5 : 0.85,
    2.5,
  );
}

/** A ridge of hills, down to `foot`, where the meadow hides it. */
function paintHill(
  canvas: Canvas,
  random: Random,
  level: number,
  relief: number,
  foot: number,
  colour: Colour,
  haze: Colour,
): void {
  const skyline = ridge(random, level, relief);
  const heights = Array.from({ length: canvas.width }, (_, x) => skyline(x + 0.5));
  const at = (x: number): number => heights[Math.floor(x)] as number;
  const box = { left: 0, top: level - relief * 2, right: canvas.width, bottom: foot };
  canvas.fill(
    box,
    (x, y) => at(x) - y,
    (x, y) => mix(colour, haze, clamp((y - at(x)) / 40) * 0.45),
  );
  // a few firs on the ridge
  const groves = random.below(3);
  for (let grove = 0; grove < groves; grove++) {
    const middle = random.uniform() * canvas.width;
    const trees = 2 + random.below(4);
    for (let i = 0; i < trees; i++) {
      const x = clamp(middle + (random.uniform() - 0.5) * 14, 0, canvas.width - 1);
      const height = 3 + 4 * random.uniform();
      const root = at(x) + 1;
      const fir = (px: number, py: number): number =>
        Math.max((Math.abs(px - x) - (py - root + height) * 0.32) * 0.95, py - root);
      const tree = { left: x - 4, top: root - height - 1, right: x + 4, bottom: root + 1 };
      canvas.fill(tree, fir, [colour[0] * 0.72, colour[1] * 0.76, colour[2] * 0.74]);
    }
  }
}

function paintMeadow(canvas: Canvas, random: Random, light: Light, top: number): void {
  const [back, front] = light.meadow;
  const skyline = ridge(random, top, 0.8);
  const box = { left: 0, top: top - 4, right: canvas.width, bottom: canvas.height };
  canvas.fill(
    box,
    (x, y) => skyline(x) - y,
    (_, y) => mix(back, front, clamp((y - top) / (canvas.height - top))),
  );
  for (let i = 0; i < 150; i++) {
    const x = random.uniform() * canvas.width;
    const y = top + 2 + random.uniform() ** 0.8 * (canvas.height - top);
    const height = 1 + 2.2 * random.uniform();
    const blade = random.uniform() < 0.5 ? mix(front, [0, 0.05, 0.05], 0.28) : mix(back, light.sun, 0.2);
    const lean = (random.uniform() - 0.5) * 0.8;
    const stroke = (px: number, py: number): number =>
      Math.max(Math.abs(px - x - (y - py) * lean) - 0.35, y - height - py, py - y);
    canvas.fill({ left: x - 3, top: y - height - 1, right: x + 3, bottom: y + 1 }, stroke, blade, 0.6);
  }
  const petals: readonly Colour[] = [hex('#ffffff'), hex('#f6d7e6'), hex('#efe3ff')];
  const flowers = random.below(14);
  for (let i = 0; i < flowers; i++) {
    const x = random.uniform() * canvas.width;
    const y = top + 4 + random.uniform() * (canvas.height - top - 4);
    const petal = mix(random.pick(petals), light.meadow[1], light.lamps ? 0.45 : 0.1);
    const flower = { left: x - 2, top: y - 2, right: x + 2, bottom: y + 2 };
    canvas.fill(flower, ellipse(x, y, 0.8, 0.8), petal, 0.95);
  }
}

/** Paints the land and returns the x of the sun, which says where shadows fall. */
export function paintLandscape(canvas: Canvas, random: Random, light: Light, ground: number): number {
  const horizon = ground - 16 - 8 * random.uniform();
  const sunX = 12 + (canvas.width - 24) * random.uniform();
  paintSky(canvas, light, horizon);
  if (light.stars) paintStars(canvas, random, horizon);
  paintSun(canvas, random, light, horizon, sunX);
  const clouds = random.below(4);
  for (let i = 0; i < clouds; i++)
    paintCloud(canvas, random, light, random.uniform() * canvas.width, 12 + 26 * random.uniform());
  const haze = light.sky[2];
  paintHill(canvas, random, horizon - 8, 9, ground, light.hills[0], haze);
  paintHill(canvas, random, horizon - 1, 6, ground, light.hills[1], haze);
  paintHill(canvas, random, horizon + 7, 4, ground, light.hills[2], light.hills[2]);
  paintMeadow(canvas, random, light, ground - 7);
  return sunX;
}
