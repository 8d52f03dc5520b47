// A run on WebGPU and the memory of its device. A software Vulkan driver will do (test/tensor/webgpu.test.ts).

import assert from 'node:assert/strict';
import { TriphaseError } from '../../src/protocol/errors';
import { SmallRuns } from './small-run';

describe('a run on WebGPU and the memory of its device', function () {
  this.timeout(120_000);
  let runs: SmallRuns;
  before(async function () {
    if (process.env['TRIPHASE_WEBGPU'] !== '1') return this.skip();
    runs = await SmallRuns.make();
  });
  after(() => runs?.remove());
  afterEach(() => {
    delete process.env['TRIPHASE_DEVICE_MEMORY_GIB'];
  });

  it('is refused where it does not fit what the person says that the device has, before its model is read', async () => {
    process.env['TRIPHASE_DEVICE_MEMORY_GIB'] = '0.001';
    const told: string[] = [];
    await assert.rejects(
      runs.run('refused', ['device=webgpu'], { emit: event => told.push(event.kind) }),
      (error: unknown) => {
        assert.ok(error instanceof TriphaseError && error.code === 'memory');
        assert.match(error.message, /phase text would take .* in one graph, of 1 MiB that webgpu has/);
        assert.match(error.remedy!, /device: cpu .*engine:/);
        return true;
      },
    );
    assert.deepEqual(told, ['plan', 'data']);
  });

  it('says in its log what it was taken to need, of what the device has', async () => {
    process.env['TRIPHASE_DEVICE_MEMORY_GIB'] = '4';
    const { events } = await runs.run('fitting', ['device=webgpu', 'phases.text.steps=1']);
    const device = events.find(event => event.kind === 'device');
    assert.equal(device?.used, 'webgpu');
    assert.equal(device.memory?.total, 4 * 2 ** 30);
    assert.ok(device.memory.estimate > 2 ** 20 && device.memory.estimate < 2 ** 30);
    assert.deepEqual(
      events.filter(event => event.kind === 'warning'),
      [],
    );
  });
});
