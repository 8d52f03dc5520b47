// Draws the next token from a row of logits, and says how likely it was.

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
  for (let i = 0; i < width; i++) {
    const x = ((logits[from + i] as number) - most) * inverse;
    const e = Math.exp(x);
    total += e;
    weighted += e * x;
  }
  let token = forced ?? best;
  if (forced === undefined && temperature > 0) {
    let left = uniform * total;
    for (token = 0; token < width - 1; token++) {
      left -= Math.exp(((logits[from + token] as number) - most) * inverse);
      if (left < 0) break;
    }
  }
  const logTotal = Math.log(total);
  return {
    token,
    logProb: ((logits[from + token] as number) - most) * inverse - logTotal,
    entropy: logTotal - weighted / total,
  };
}
