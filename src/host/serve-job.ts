// The worker's end: runs one job, and waits at each event until the main thread has it on disk.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { NumberedRules } from '../config/run-rules';
import type { CurriculumJob, JobEvent, JobResult } from '../curriculum/job';
import { toErrorRecord } from '../protocol/error-record';
import { TriphaseError } from '../protocol/errors';
import { flag, type WorkerInput, type WorkerMessage } from './channel';

export async function serveJob(run: (job: CurriculumJob) => Promise<JobResult>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this program runs as the worker of a host');
  const input = workerData as WorkerInput;
  const flags = new Int32Array(input.flags);
  const tell = (message: WorkerMessage) => port.postMessage(message);
  let number = 0;

  const emit = (event: JobEvent): void => {
    number += 1;
    tell({ kind: 'event', number, event });
    untilAnswered();
  };
  const untilAnswered = (): void => {
    for (;;) {
      const written = Atomics.load(flags, flag.written);
      if (written >= number) return;
      if (Atomics.load(flags, flag.refused) === 1)
        throw new TriphaseError('run-folder', 'The event log cannot be written.');
      Atomics.wait(flags, flag.written, written, 1000);
    }
  };

  const rulesFrom = (step: number): NumberedRules | undefined => {
    number += 1;
    tell({ kind: 'step-begins', number, step });
    untilAnswered();
    return receiveMessageOnPort(input.rules.port)?.message as NumberedRules | undefined;
  };

  try {
    const result = await run({
      ...input.job,
      emit,
      rules: { atStart: input.rules.atStart, from: rulesFrom },
      activity: activity => tell({ kind: 'activity', activity }),
      stopRequested: () => Atomics.load(flags, flag.stop) === 1,
    });
    tell({ kind: 'ended', result });
  } catch (error) {
    tell({ kind: 'failed', error: toErrorRecord(error) });
  }
}
