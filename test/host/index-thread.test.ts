// A run is indexed beside its loop.

import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { IndexThread } from '../../src/host/index-thread';
import { mostFiles } from '../../src/run/compaction';
import { currentEvents, readEvents } from '../../src/run/event-log';
import { indexFolder, readSegments } from '../../src/run/segments';
import { emptyRun, recordSteps } from '../query/recorded-run';
import { temporaryFolder } from '../run/temporary';

describe('indexing a run that goes on', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  it('begins when enough steps wait, and leaves the rest', async () => {
    const run = path.join(folder(), 'run');
    emptyRun(run);
    const steps = Array.from({ length: mostFiles }, (_, i) => ({ step: i + 1, phase: 'text', groups: [[{}]] }));
    await recordSteps(run, steps);
    const failures: Error[] = [];
    const thread = new IndexThread(run, path.resolve('dist'), error => failures.push(error));
    for (const event of currentEvents(readEvents(run).events)) thread.take(event);
    while (readSegments(indexFolder(run)).length === 0 && failures.length === 0) await wait(20);
    assert.deepEqual(failures, []);
    assert.deepEqual(
      readSegments(indexFolder(run)).map(({ rows, files }) => [rows, files.length]),
      [[mostFiles, mostFiles]],
    );
  });
});
