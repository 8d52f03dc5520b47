import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { attemptStart } from '../../src/host/attempt-start';
import type { RunEventBody } from '../../src/protocol/run';
import { temporaryFolder } from '../run/temporary';

describe('the start of an attempt', () => {
  const folder = temporaryFolder();

  /** What is found in a run whose devices were these. */
  async function keptOf(...devices: readonly object[]) {
    const events: RunEventBody[] = devices.map(device => ({
      kind: 'device',
      asked: 'auto',
      used: 'cpu',
      threads: 1,
      refused: [],
      ...device,
    }));
    const time = new Date(0).toISOString();
    const lines = events.map((event, i) => `${JSON.stringify({ n: i + 1, time, attempt: 1, ...event })}\n`);
    writeFileSync(path.join(folder(), 'events.jsonl'), lines.join(''));
    const { layerwise, replicas } = await attemptStart(folder());
    return { layerwise, replicas };
  }

  it('goes on the way the run went before on the CPU, in one graph where that is not said', async () => {
    assert.deepEqual(await keptOf(), { layerwise: undefined, replicas: undefined });
    assert.deepEqual(await keptOf({ layerwise: true, replicas: 1 }), { layerwise: true, replicas: 1 });
    assert.deepEqual(await keptOf({ replicas: 2 }), { layerwise: false, replicas: 2 });
    assert.deepEqual(await keptOf({ used: 'webgpu', layerwise: false }), { layerwise: undefined, replicas: undefined });
  });
});
