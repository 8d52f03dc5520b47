// What may be drawn, and how its probabilities are bent: transformers' logits processors (generation/logits_process.py),
// in the order in which its generate applies them: repetition penalty, temperature, top-k, top-p, min-p.

export interface Warping {
  /** 0 is greedy: only the repetition penalty is applied, as in transformers. */
  readonly temperature: number;
  /** Only the k most likely tokens (and those as likely as the last of them); 0: all. */
  readonly topK?: number;
  /** Only the most likely tokens that together reach this probability; 1: all. */
  readonly topP?: number;
  /** Only tokens at least this likely relative to the most likely one; 0: all. */
  readonly minP?: number;
  /** Logits of tokens that stand in the prompt or the completion are divided by it, negative ones multiplied; 1: not. */
  readonly repetitionPenalty?: number;
}

/** Whether anything but the temperature is asked for. */
export const warps = ({ temperature, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 }: Warping): boolean =>
  repetitionPenalty !== 1 || (temperature > 0 && (topK > 0 || topP < 1 || minP > 0));

/**
 * The logits that softmax is taken of: -Infinity where a token may not be drawn.
 *
 * @param logits of one token, [vocab]
 * @param seen the tokens that the repetition penalty is for
 */
export function warp(logits: Float32Array, seen: Iterable<number>, warping: Warping): Float32Array {
  const { temperature, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = warping;
  const scores = logits.slice();
  if (repetitionPenalty !== 1) penalise(scores, logits, seen, repetitionPenalty);
  if (temperature === 0) return scores;
  if (temperature !== 1) for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] as number) / temperature;
  if (topK > 0 && topK < scores.length) keepTopK(scores, topK);
  if (topP < 1) keepTopP(scores, topP);
  if (minP > 0) keepMinP(scores, minP);
  return scores;
}

/** From the logits as they were: a token that is seen twice is penalised once. */
function penalise(scores: Float32Array, logits: Float32Array, seen: Iterable<number>, penalty: number): void {
  for (const token of seen) {
    const x = logits[token];
    if (x !== undefined) scores[token] = x < 0 ? x * penalty : x / penalty;
  }
}

/** Tokens equal to the last of the k stay, as in transformers. */
function keepTopK(scores: Float32Array, k: number): void {
  const least = kthLargest(scores, k);
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) < least) scores[i] = Number.NEGATIVE_INFINITY;
}

/** A heap of the k largest: k is small beside the vocabulary. */
function kthLargest(values: Float32Array, k: number): number {
  const heap = values.slice(0, k).sort();
  for (let i = k; i < values.length; i++) {
    const x = values[i] as number;
    if (x <= (heap[0] as number)) continue;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < k && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if (child >= k || (heap[child] as number) >= x) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = x;
  }
  return heap[0] as number;
}

/** Removes the least likely tokens whose probabilities sum to no more than 1 - p; of equal ones the first go first. */
function keepTopP(scores: Float32Array, p: number): void {
  const { most, total } = normaliser(scores);
  const allowed = (1 - p) * total;
  // tokens below an equal share of what may go all go: together they cannot exceed it. Only the others are sorted
  const certain = allowed / scores.length;
  let gone = 0;
  let left = 0;
  const others = new Float32Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    const x = scores[i] as number;
    const e = Math.exp(x - most);
    if (e < certain) {
      gone += e;
      scores[i] = Number.NEGATIVE_INFINITY;
    } else others[left++] = x;
  }
  const sorted = others.subarray(0, left).sort();
  let removed = 0;
  for (; removed < left - 1; removed++) {
    gone += Math.exp((sorted[removed] as number) - most);
    if (gone > allowed) break;
  }
  const least = sorted[removed] as number;
  let ties = 0;
  for (let i = removed - 1; i >= 0 && sorted[i] === least; i--) ties++;
  for (let i = 0; i < scores.length; i++) {
    const x = scores[i] as number;
    if (x < least || (x === least && ties-- > 0)) scores[i] = Number.NEGATIVE_INFINITY;
  }
}

function keepMinP(scores: Float32Array, p: number): void {
  const { most } = normaliser(scores);
  const least = most + Math.log(p);
  for (let i = 0; i < scores.length; i++) if ((scores[i] as number) < least) scores[i] = Number.NEGATIVE_INFINITY;
}

function normaliser(scores: Float32Array): { readonly most: number; readonly total: number } {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) most = Math.max(most, scores[i] as number);
  let total = 0;
  for (let i = 0; i < scores.length; i++) total += Math.exp((scores[i] as number) - most);
  return { most, total };
}
