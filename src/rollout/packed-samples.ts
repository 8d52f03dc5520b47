// A completion on its way from one thread to another: numbers in few arrays. As they are, with an object for each
// alternative of each token, 32 completions of 48 tokens take some milliseconds to be copied, of the 90 to draw them.

import type { Sample } from './generation';

export interface PackedSample extends Pick<Sample, 'stop' | 'forced'> {
  readonly tokenIds: Int32Array<ArrayBuffer>;
  readonly logProbs: Float64Array<ArrayBuffer>;
  readonly entropy: Float64Array<ArrayBuffer>;
  readonly alternatives?: {
    /** By token. */
    readonly counts: Int32Array<ArrayBuffer>;
    readonly tokens: Int32Array<ArrayBuffer>;
    readonly logProbs: Float64Array<ArrayBuffer>;
  };
}

export function packed({ tokenIds, logProbs, entropy, alternatives, forced, stop }: Sample): PackedSample {
  const all = alternatives?.flat();
  return {
    tokenIds: Int32Array.from(tokenIds),
    logProbs: Float64Array.from(logProbs),
    entropy: Float64Array.from(entropy),
    forced,
    stop,
    ...(alternatives === undefined || all === undefined
      ? {}
      : {
          alternatives: {
            counts: Int32Array.from(alternatives, ofToken => ofToken.length),
            tokens: Int32Array.from(all, ({ token }) => token),
            logProbs: Float64Array.from(all, ({ logProb }) => logProb),
          },
        }),
  };
}

/** What need not be copied, as nobody keeps it. */
export const packedMemory = ({ tokenIds, logProbs, entropy, alternatives }: PackedSample): ArrayBuffer[] =>
  [tokenIds, logProbs, entropy, ...Object.values(alternatives ?? {})].map(({ buffer }) => buffer);

export function unpacked({ tokenIds, logProbs, entropy, alternatives, forced, stop }: PackedSample): Sample {
  let at = 0;
  return {
    tokenIds: Array.from(tokenIds),
    logProbs: Array.from(logProbs),
    entropy: Array.from(entropy),
    ...(alternatives === undefined
      ? {}
      : {
          alternatives: Array.from(alternatives.counts, count =>
            Array.from({ length: count }, () => ({
              token: alternatives.tokens[at] as number,
              logProb: alternatives.logProbs[at++] as number,
            })),
          ),
        }),
    forced,
    stop,
  };
}
