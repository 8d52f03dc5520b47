// All randomness of a run comes from one path (seed, phase, step, example, sample): the same path gives the same
// numbers on every machine, in any order of evaluation.

/** splitmix32's finaliser: mixes the bits of a 32-bit integer. */
function mix(x: number): number {
  let z = (x + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A 32-bit hash of a string (FNV-1a, then mixed). */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ (text.charCodeAt(i) & 0xff), 0x01000193);
    h = Math.imul(h ^ (text.charCodeAt(i) >>> 8), 0x01000193);
  }
  return mix(h);
}

export type PathPart = number | string;

export type RandomState = readonly [number, number, number, number];

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /** sfc32 (Doty-Humphrey, PractRand), seeded by the path. */
  constructor(...path: readonly PathPart[]) {
    let h = 0x243f6a88;
    const seeds: number[] = [];
    for (const part of path) h = mix(h ^ (typeof part === 'string' ? hashText(part) : mix(part | 0)));
    for (let i = 0; i < 4; i++) seeds.push(mix(h ^ mix(i + 1)));
    [this.a, this.b, this.c, this.d] = seeds as [number, number, number, number];
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** Where the stream is, to go on from it in another thread. */
  get state(): RandomState {
    return [this.a, this.b, this.c, this.d];
  }

  static at([a, b, c, d]: RandomState): Random {
    return Object.assign(new Random(), { a, b, c, d });
  }

  /** 32 random bits. */
  bits(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** The same for numbers, in 4 bytes each: the same order. */
  shuffledNumbers(items: Uint32Array): Uint32Array {
    const out = items.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = out[i] as number;
      out[i] = out[j] as number;
      out[j] = held;
    }
    return out;
  }
}
