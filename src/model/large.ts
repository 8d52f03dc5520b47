// From which size on a model is computed in another way: its products take the time, which threads share well, and copies of
// parameters, gradients and activations take the memory.

const LARGEST_SMALL = 32e6;

/** @param parameters how many there are */
export const isLarge = (parameters: number): boolean => parameters > LARGEST_SMALL;
