import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { hostLogFile } from '../../src/run/host-log';
import { lastWords } from '../../src/run/last-words';
import { temporaryFolder } from './temporary';

describe('the last words of a host', () => {
  const folder = temporaryFolder();
  const memoryOf = (...lines: readonly string[]): string | undefined => {
    writeFileSync(hostLogFile(folder()), `of one before\n${lines.join('\n')}\n`);
    return lastWords(folder(), 'of one before\n'.length).memory;
  };

  for (const line of [
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    '# Fatal process OOM in insufficient memory to create an Isolate',
    '#  Fatal process out of memory: Zone',
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'libc++abi: terminating due to uncaught exception of type std::bad_alloc: std::bad_alloc',
    'RangeError: Array buffer allocation failed',
  ])
    it(`are of memory: ${line}`, () => assert.equal(memoryOf('step 4', line, ' 1: 0xb0a0e0'), line));

  it('are not what the runtime said of memory, after which the host went on', () =>
    assert.equal(
      memoryOf(
        '[E:onnxruntime:, sequential_executor.cc:572 ExecuteKernel] Non-zero status code returned while running Gemm node. std::bad_alloc',
        'step 4: half as many prompts run together from now on: CUDA failure 2: out of memory',
        'step 5',
      ),
      undefined,
    ));
});
