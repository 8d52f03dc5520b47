// Draws the next token from a row of logits, and says how likely it was.

import { type Warping, warp } from './warping';

/** A token with the natural logarithm of its probability and the entropy (nats) of the distribution it came from. */
export interface Drawn {
  readonly token: number;
  readonly logProb: number;
  readonly entropy: number;
}

/**
 * Samples from softmax(logits / temperature); temperature 0 takes the most likely token and reports temperature 1.
 *
 * @param logits [rows, width]
 * @param forced the token to take, instead of a draw
 * @param uniform a number in [0, 1)
 */
export function draw(
  logits: Float32Array,
  row: number,
  width: number,
  temperature: number,
  uniform: number,
  forced?: number,
): Drawn {
  const from = row * width;
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < width; i++) {
    const x = logits[from + i] as number;
    if (x > most) {
      most = x;
      best = i;
    }
  }
  const inverse = temperature === 0 ? 1 : 1 / temperature;
  let total = 0;
  let weighted = 0;
  const weights = scratch(width);
  for (let i = 0; i < width; i++) {
    const x = ((logits[from + i] as number) - most) * inverse;
    const e = Math.exp(x);
    weights[i] = e;
    total += e;
    if (e > 0) weighted += e * x;
  }
  let token = forced ?? best;
  if (forced === undefined && temperature > 0) {
    let left = uniform * total;
    for (token = 0; token < width - 1; token++) {
      left -= weights[token] as number;
      if (left < 0) break;
    }
    // rounding may leave a remainder at the end, where nothing may be drawn
    if (logits[from + token] === Number.NEGATIVE_INFINITY) token = best;
  }
  const logTotal = Math.log(total);
  return {
    token,
    logProb: ((logits[from + token] as number) - most) * inverse - logTotal,
    entropy: logTotal - weighted / total,
  };
}

/**
 * The same from probabilities that are there already, softmax(logits / temperature) with a temperature above 0: the
 * runtime's exponentials take a tenth of the time of JavaScript's, which were half of all that a step spent here.
 *
 * @param probabilities [rows, width]
 */
export function drawFrom(
  probabilities: Float32Array,
  logits: Float32Array,
  row: number,
  width: number,
  temperature: number,
  uniform: number,
): Drawn {
  const from = row * width;
  let total = 0;
  let weighted = 0;
  for (let i = from; i < from + width; i++) {
    const p = probabilities[i] as number;
    total += p;
    weighted += p === 0 ? 0 : p * (logits[i] as number);
  }
  const token = at(probabilities, from, width, uniform * total);
  const logProb = Math.log((probabilities[from + token] as number) / total);
  // log of what softmax divides by, as the drawn token shows it
  const logTotal = (logits[from + token] as number) / temperature - logProb;
  return { token, logProb, entropy: logTotal - weighted / temperature / total };
}

/** The token at which the sum of probabilities passes a share of them. */
function at(probabilities: Float32Array, from: number, width: number, share: number): number {
  let left = share;
  let last = 0;
  for (let token = 0; token < width; token++) {
    const p = probabilities[from + token] as number;
    left -= p;
    if (left < 0) return token;
    // rounding may leave a remainder at the end, where nothing may be drawn
    if (p > 0) last = token;
  }
  return last;
}

let room = new Float64Array(0);

/** Room for one number a token, used again by the next draw: exponentials are half of what a draw costs. */
function scratch(width: number): Float64Array {
  if (room.length < width) room = new Float64Array(width);
  return room;
}

/**
 * Samples from the warped distribution.
 *
 * @param seen the tokens that the repetition penalty is for
 * @param reported which distribution log-probability and entropy are of: the warped one, or softmax(logits / temperature),
 * which is the one that is trained
 */
export function drawWarped(
  logits: Float32Array,
  row: number,
  width: number,
  seen: Iterable<number>,
  warping: Warping,
  reported: 'plain' | 'warped',
  uniform: number,
  forced?: number,
): Drawn {
  const { temperature } = warping;
  const scores = warp(logits.subarray(row * width, (row + 1) * width), seen, warping);
  const drawn = draw(scores, 0, width, temperature === 0 ? 0 : 1, uniform, forced);
  return reported === 'warped' ? drawn : draw(logits, row, width, temperature, 0, drawn.token);
}

/** A token that could come next. */
export interface Alternative {
  readonly token: number;
  /** Natural logarithm. */
  readonly logProb: number;
}

/**
 * The k most likely tokens of softmax(scores), most likely first; of equal ones the one with the lower id. Tokens that
 * may not be drawn (-Infinity) are left out.
 */
export function mostLikely(scores: Float32Array, k: number): Alternative[] {
  const best = greatest(scores, k);
  if (best.length === 0) return [];
  const most = scores[best[0] as number] as number;
  let total = 0;
  for (const x of scores) total += Math.exp(x - most);
  return Array.from(best, token => ({ token, logProb: (scores[token] as number) - most - Math.log(total) }));
}

/** The k tokens with the greatest scores, the greatest first; of equal ones the one with the lower id. */
export function greatest(scores: Float32Array, k: number): Int32Array {
  const best = new Int32Array(k);
  return best.subarray(0, greatestInto(best, scores, 0, scores.length));
}

/**
 * The same of a row of scores, as many as there is room for. It is done for every token of a rollout: without arrays that
 * are made, grow and shrink it takes a third of the time.
 *
 * @returns how many were found
 */
export function greatestInto(best: Int32Array, scores: Float32Array, from: number, width: number): number {
  const k = best.length;
  let found = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < width; token++) {
    const x = scores[from + token] as number;
    if (!(x > least) && (found === k || x === Number.NEGATIVE_INFINITY)) continue;
    let at = found < k ? found++ : k - 1;
    for (; at > 0 && (scores[from + (best[at - 1] as number)] as number) < x; at--) best[at] = best[at - 1] as number;
    best[at] = token;
    if (found === k) least = scores[from + (best[k - 1] as number)] as number;
  }
  return found;
}
