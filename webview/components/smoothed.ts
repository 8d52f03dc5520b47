// The exponential moving average that TensorBoard draws: debiased, so that the first values are not drawn to zero.

/** @param starts indices where the average begins anew, as at a new version of a rule */
export function smoothed(
  values: readonly (number | null)[],
  weight: number,
  starts: ReadonlySet<number> = new Set(),
): readonly (number | null)[] {
  let average = 0;
  let seen = 0;
  return values.map((value, i) => {
    if (starts.has(i)) {
      average = 0;
      seen = 0;
    }
    if (value === null || !Number.isFinite(value)) return value;
    average = average * weight + value * (1 - weight);
    seen += 1;
    return average / (1 - weight ** seen);
  });
}
