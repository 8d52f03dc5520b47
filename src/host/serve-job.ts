// The worker's end: runs one job, and waits at each event until the main thread has it on disk.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { NumberedRules } from '../config/run-rules';
import type { CurriculumJob, JobEvent, JobResult } from '../curriculum/job';
import { toErrorRecord } from '../protocol/error-record';
import { TriphaseError } from '../protocol/errors';
import { freeBytes, isNoRoom } from '../run/no-room';
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

  const whenRoom = async <T>(bytes: number, write: () => Promise<T>): Promise<T> => {
    for (let waited = 0, began = 0; ; ) {
      try {
        const written = await write();
        if (waited > 0) {
          tell({ kind: 'room' });
          const seconds = Math.round((performance.now() - began) / 1000);
          emit({
            kind: 'warning',
            message: `The disk was full: the run waited ${seconds} s for room, and has gone on.`,
          });
        }
        return written;
      } catch (error) {
        if (!isNoRoom(error)) throw error;
        if (waited === 0) began = performance.now();
        waited += 1;
        const { folder } = input.job;
        // a quota does not show in what is free: then it is tried again now and then
        const why = { kind: 'no-space', folder, neededBytes: bytes, freeBytes: freeBytes(folder) } as const;
        tell({ kind: 'room', why });
        Atomics.store(flags, flag.retry, 0);
        for (let seconds = 0; seconds < 10; seconds++) {
          if (is(flag.stop)) throw error;
          Atomics.wait(flags, flag.retry, 0, 1000);
          if (is(flag.retry) || (why.freeBytes < bytes && freeBytes(folder) >= bytes)) break;
        }
      }
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
      whenRoom,
      pause: { requested: () => is(flag.pause), rest },
      rules: { atStart: input.rules.atStart, from: rulesFrom },
    });
    tell({ kind: 'ended', result });
  } catch (error) {
    tell({ kind: 'failed', error: toErrorRecord(error) });
  }
}
