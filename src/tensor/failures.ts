// What went wrong in the runtime, told apart by its words, which are all that it gives: memory that was not there, and a
// device that is gone, which the run itself answers; a device without float16; everything else is an error like others.

import { type ErrorCode, TriphaseError } from '../protocol/errors';

/**
 * onnxruntime's arena (bfc_arena.cc: "Failed to allocate memory for requested buffer"), the C++ library, CUDA, DirectML,
 * Dawn, V8.
 */
const short = /bad_alloc|failed to allocate|out of memory|E_OUTOFMEMORY|Array buffer allocation failed/i;

/** Dawn and Vulkan; Direct3D; CUDA's errors after which a context cannot be used any more. */
const lost =
  /device\]? (is |was )?lost|VK_ERROR_DEVICE_LOST|external Instance reference no longer exists|DXGI_ERROR_DEVICE_(REMOVED|HUNG|RESET)|CUDA (failure|error) (46|100|101|214|70[0-9]|71[0-9]|999)\b|cudaError(IllegalAddress|LaunchFailure|DevicesUnavailable|ECCUncorrectable)/i;

/** Dawn's devices without shader-f16. */
const noHalves = /requires f16 but the device does not support it/;

/** The error as one that is known; any other comes back as it is. */
export function asFailure(error: unknown, device: string): unknown {
  if (!(error instanceof Error) || error instanceof TriphaseError) return error;
  const known = (code: ErrorCode, message: string, remedy: string) => new TriphaseError(code, message, remedy);
  const { message } = error;
  if (device !== 'cpu' && lost.test(message))
    return known(
      'device-lost',
      `the device ${device} is lost: ${inShort(message)}`,
      'Resume from the last checkpoint.',
    );
  if (noHalves.test(message))
    return known(
      'device',
      `the device ${device} has no float16, as which frozen parameters lie in memory`,
      'Set model.precision: int8, int4 or f32 in the config, or device: cpu.',
    );
  if (short.test(message))
    return known(
      'memory',
      `the memory of ${device} does not suffice: ${inShort(message)}`,
      'Lower generation.samples, generation.max_tokens or prompt.max_tokens, or end other programs.',
    );
  return error;
}

/** Without the source file and signature that the runtime's messages begin with. */
function inShort(message: string): string {
  const line = message.trim().split('\n')[0] ?? '';
  const said = /was false\. (.+)$/.exec(line) ?? /(?:Status Message: )(?:\S+\.cc:\d+ .*?\) )?(.+)$/.exec(line);
  return (said?.[1] ?? line).slice(0, 200);
}
