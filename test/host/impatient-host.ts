// A host that waits two seconds for a worker that was asked to stop, and ends itself as the command line does.

import { loadCurriculum } from '../../src/config/curriculum';
import { Host } from '../../src/host/host';

const [folder = '', configFile = '', workerFile = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const { config } = loadCurriculum(configFile, []);
  const patience = { steps: 0, leastSeconds: 2, longStepSeconds: 0 };
  const host = await Host.start({ folder, config, workerFile, patience });
  await host.ended;
  process.kill(process.pid, 'SIGINT');
}

void main();
