// Tensors as the host has them: typed arrays with their dimensions.

/** A dense tensor in memory, row-major. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array | Int8Array | Uint8Array;
}

/** float16, as its bits: JavaScript counts with float32. */
export interface HalfTensor {
  readonly dims: readonly number[];
  readonly data: Uint16Array;
}

export interface FloatTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
