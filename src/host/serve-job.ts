// The worker's end: runs one job, and waits at each event until the main thread has it on disk.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { NumberedRules } from '../config/run-rules';
import type { CurriculumJob, JobEvent, JobResult } from '../curriculum/job';
import { toErrorRecord } from '../protocol/error-record';
import { TriphaseError } from '../protocol/errors';
import { afterWait, type DiskWait, diskWait, freeBytes } from '../run/write-failures';
import { beat, countRunsIn } from '../tensor/heartbeat';
import { flag, type WorkerInput, type WorkerMessage } from './channel';

export async function serveJob(run: (job: CurriculumJob) => Promise<JobResult>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this program runs as the worker of a host');
  const input = workerData as WorkerInput;
  const flags = new Int32Array(input.flags);
  const tell = (message: WorkerMessage) => port.postMessage(message);
  let number = 0;

  const is = (which: number) => Atomics.load(flags, which) === 1;
  countRunsIn(flags, flag.beat);

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

  const whenWritable = async <T>(what: string, bytes: number, write: () => Promise<T>): Promise<T> => {
    const { folder } = input.job;
    for (let began: number | undefined, waited: DiskWait | undefined; ; ) {
      try {
        const written = await write();
        if (waited === undefined || began === undefined) return written;
        tell({ kind: 'waits' });
        emit({ kind: 'warning', message: afterWait(waited, (performance.now() - began) / 1000, what) });
        return written;
      } catch (error) {
        const why = diskWait(error, folder, bytes);
        if (why === undefined) throw error;
        began ??= performance.now();
        waited = why;
        tell({ kind: 'waits', why });
        untilRetry(error, why);
      }
    }
  };
  /** Until somebody asks for it or there is room; a quota, and a folder's rights, do not show: then now and then. */
  const untilRetry = (error: unknown, why: DiskWait): void => {
    Atomics.store(flags, flag.retry, 0);
    for (let seconds = 0; seconds < 10; seconds++) {
      if (is(flag.stop)) throw error;
      Atomics.wait(flags, flag.retry, 0, 1000);
      if (is(flag.retry)) return;
      if (why.kind === 'no-space' && why.freeBytes < why.neededBytes && freeBytes(why.folder) >= why.neededBytes)
        return;
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
      activity(activity) {
        beat();
        tell({ kind: 'activity', activity });
      },
      stopRequested() {
        beat();
        return is(flag.stop);
      },
      whenWritable,
      pause: { requested: () => is(flag.pause), rest },
      rules: { atStart: input.rules.atStart, from: rulesFrom },
    });
    tell({ kind: 'ended', result });
  } catch (error) {
    tell({ kind: 'failed', error: toErrorRecord(error) });
  }
}
