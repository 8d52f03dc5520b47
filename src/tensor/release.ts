// Results of a run lie outside V8's heap, which knows little of them: some megabytes of them make it mark everything that
// is there, on threads beside those that compute, and new memory has to be touched where that of the run before is still
// warm. So results that are read once and many times over are given back at once.

import { MessageChannel } from 'node:worker_threads';
import type { FloatTensor } from './tensor';

/** What is handed over to a port that is closed is taken from the sender, and goes. */
const nobody = (() => {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
})();

/** @param tensors that a run gave, whole, and that nobody reads any more: their data is empty from here on */
export function release(tensors: Iterable<FloatTensor>): void {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) buffers.add(data.buffer as ArrayBuffer);
  nobody.postMessage(null, [...buffers]);
}
