// How long a worker that was asked to stop is waited for. Steps of onnxruntime cannot be broken off, so the patience goes
// by how long this run's steps take.

export interface StopPatience {
  /** So many times its longest silence or step, */
  readonly steps: number;
  /** but no less than this, */
  readonly leastSeconds: number;
  /** and where no step has been done yet, as if one took so long. */
  readonly longStepSeconds: number;
}

export const stopPatience: StopPatience = { steps: 5, leastSeconds: 60, longStepSeconds: 120 };

/** @param usual the longest silence or step so far */
export function stopSeconds(usual: number | undefined, patience: StopPatience): number {
  return Math.max(patience.leastSeconds, patience.steps * (usual ?? patience.longStepSeconds));
}
