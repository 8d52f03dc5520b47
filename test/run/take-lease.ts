// Takes the lease of a folder at a given moment, says what came of it, and holds it for a while.

import { Lease } from '../../src/run/lease';

const [folder = '', start = '0'] = process.argv.slice(2);
while (Date.now() < Number(start)) {
  // all the programs at the same moment
}
Lease.take(folder).then(
  ({ attempt }) => process.stdout.write(`taken ${attempt}`),
  error => process.stdout.write(`refused: ${error instanceof Error ? error.message : error}`),
);
setTimeout(() => {}, 2000);
