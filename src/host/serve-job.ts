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

  const is = (which: number) => Atomics.load(flags, which) === 1;
  const beat = () => Atomics.add(flags, flag.beat, 1);

  const emit = (event: JobEvent): void => {
    number += 1;
    beat();
    tell({ kind: 'event', number, event });
    untilAnswered();
  };
  const untilAnswered = (): void => {
    for (;;) {
      const written = Atomics.load(flags, flag.written);
      if (written >= number) return;
      if (is(flag.refused)) throw new TriphaseError('run-folder', 'The event log cannot be written.');
      Atomics.wait(flags, flag.written, written, 1000);
    }
  };

  /** Blocks the thread: there is nothing else that it could do. */
  const rest = (step: number): 'go on' | 'stop' => {
    if (is(flag.pause) && !is(flag.stop)) {
      const began = performance.now();
      emit({ kind: 'paused', step, why: { kind: 'asked' } });
      while (is(flag.pause) && !is(flag.stop)) Atomics.wait(flags, flag.pause, 1, 1000);
      emit({ kind: 'resumed', step, seconds: (performance.now() - began) / 1000 });
    }
    return is(flag.stop) ? 'stop' : 'go on';
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
      activity(activity) {
        beat();
        tell({ kind: 'activity', activity });
      },
      stopRequested() {
        beat();
        return is(flag.stop);
      },
      pause: { requested: () => is(flag.pause), rest },
      rules: { atStart: input.rules.atStart, from: rulesFrom },
    });
    tell({ kind: 'ended', result });
  } catch (error) {
    tell({ kind: 'failed', error: toErrorRecord(error) });
  }
}
