// Hostile variants of something that is right: of bytes, and of JSON. Seeded: a number names an input.

import type { Random } from '../../src/protocol/random';

const hostileValues: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e308,
  2 ** 53,
  1.5,
  '',
  'a'.repeat(10_000),
  '../../../etc/passwd',
  '/etc/passwd',
  '\u0000',
  '\ud800',
  '__proto__',
  [],
  {},
  [[[[[[]]]]]],
  ['', null, 7],
  { constructor: 1 },
];

const hostileTexts = [
  '\u0000',
  '\ufeff',
  '{',
  '}',
  '[',
  '"',
  '\n',
  '&a [*a, *a]',
  '!!js/function',
  '{{',
  '%}',
  '-',
  ': ',
  '1e999',
];

/** Another value in one or two places, a key more or a key less. */
export function mutateJson(value: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(value);
  for (let i = 0; i <= random.below(2); i++) {
    const places = placesIn(copy);
    if (places.length === 0) return structuredClone(random.pick(hostileValues));
    const { owner, key } = random.pick(places);
    const what = random.below(10);
    if (what === 0) delete owner[key];
    else if (what === 1) owner[`${key}x`] = structuredClone(random.pick(hostileValues));
    else owner[key] = structuredClone(random.pick(hostileValues));
  }
  return copy;
}

interface PlaceInJson {
  readonly owner: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): readonly PlaceInJson[] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap(key => [{ owner, key }, ...placesIn(owner[key])]);
}

/** One byte turned, or cut, doubled, with other bytes in between. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Buffer.from(bytes);
  if (out.length > 0 && random.below(2) === 0) {
    out[random.below(out.length)] = random.below(256);
    return out;
  }
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(out.length + 1);
    const length = random.below(Math.min(64, out.length - at + 1));
    switch (random.below(6)) {
      case 0:
        out = out.subarray(0, at);
        break;
      case 1:
        if (at < out.length) out[at] = random.below(256);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + length), out.subarray(at)]);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, at), Buffer.from(random.pick(hostileTexts)), out.subarray(at)]);
        break;
      case 5:
        for (let j = at; j < at + length; j++) out[j] = random.below(256);
        break;
    }
  }
  return out;
}

export function mutateText(text: string, random: Random): string {
  return Buffer.from(mutateBytes(Buffer.from(text), random)).toString('utf8');
}
