// A worker whose job is small: counts instead of training, writes real rollouts and checkpoints, and resumes. What it
// counts depends on every step before, so that a resumed run that differs from an unbroken one is seen.
// TRIPHASE_SMALL_JOB: {"stepMs": time of a step, "failAt": step, "throwAt": step, "exitAt": step, "abortAt": step, "hangAt": step,
// "loseDeviceAt": steps, "hold": {"step": step, "file": what it waits for}}

import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { CurriculumJob, JobResult } from '../../src/curriculum/job';
import { RulesInForce } from '../../src/curriculum/rules-in-force';
import { serveJob } from '../../src/host/serve-job';
import { TriphaseError } from '../../src/protocol/errors';
import { writeCheckpoint } from '../../src/run/checkpoints';
import { writeRollouts } from '../../src/run/rollouts';
import { asFailure } from '../../src/tensor/failures';
import { rollout } from '../run/rollout';

interface Wishes {
  readonly stepMs?: number;
  /** Before its model would be read. */
  readonly refuse?: boolean;
  readonly failAt?: number;
  readonly throwAt?: number;
  readonly exitAt?: number;
  /** Ends the process as native code does that gives up. */
  readonly abortAt?: number;
  /** Comes to no end in this step, and computes nothing. */
  readonly hangAt?: number;
  /** Its device, which is no CPU, is lost in the first of these steps, then in the next. */
  readonly loseDeviceAt?: readonly number[];
  /** Waits within this step until the file is there. */
  readonly hold?: { readonly step: number; readonly file: string };
}

const wishes = JSON.parse(process.env['TRIPHASE_SMALL_JOB'] ?? '{}') as Wishes;

async function smallJob(job: CurriculumJob): Promise<JobResult> {
  const { phases } = job.config;
  const rules = new RulesInForce(job.config, job.rules?.atStart);
  let { step, sum } = { step: 0, sum: 1 };
  if (job.resumeFrom !== undefined) {
    const state: unknown = JSON.parse(readFileSync(path.join(job.resumeFrom, 'trainer_state.json'), 'utf8'));
    ({ step, sum } = state as { step: number; sum: number });
  }
  const steps = phases.reduce((total, phase) => total + phase.steps, 0);
  job.emit({
    kind: 'plan',
    steps,
    phases: phases.map(({ id, trainer, view, steps }) => ({ phase: id, trainer, view, steps })),
  });
  if (wishes.refuse === true) throw new TriphaseError('memory', 'The run does not fit.', 'Lower phases.N.prompts.');
  const used = job.device ?? (wishes.loseDeviceAt === undefined ? 'cpu' : 'webgpu');
  job.emit({ kind: 'device', asked: job.config.device, used, threads: 1, refused: [] });

  let before = 0;
  for (const [index, phase] of phases.entries()) {
    const end = before + phase.steps;
    const saveAt = async (boundary: boolean) => {
      const position = { phase: phase.id, phaseStep: step - before, step, attempt: job.attempt, boundary };
      const write = () =>
        writeCheckpoint(job.folder, position, job.config.checkpoints.keep, async folder => {
          writeFileSync(path.join(folder, 'trainer_state.json'), JSON.stringify({ step, sum }));
        });
      const written = await (job.whenWritable?.('a checkpoint', 1000, write) ?? write());
      job.emit({ kind: 'checkpoint', ...position, ...written, seconds: 0 });
    };
    if (step < end) {
      const { id, trainer, view, steps } = phase;
      job.emit({
        kind: 'phase-started',
        phase: id,
        index,
        trainer,
        view,
        steps,
        examples: 5,
        phaseStep: step - before,
        step,
      });
    }
    while (step < end) {
      job.activity({ what: 'counting', done: step, total: steps });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wishes.stepMs ?? 0);
      const next = step + 1;
      if (next === wishes.failAt) {
        throw new TriphaseError('not-finite', `The loss of step ${next} is NaN.`, 'Lower the learning rate.');
      }
      if (next === wishes.throwAt) setImmediate(() => JSON.parse('{'));
      if (next === wishes.throwAt) await new Promise(() => {});
      if (next === wishes.exitAt) process.exit(3);
      if (next === wishes.abortAt) {
        writeSync(2, 'the native part gives up\n');
        process.kill(process.pid, 'SIGABRT');
        await new Promise(() => {});
      }
      while (next === wishes.hangAt) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      if (used !== 'cpu' && next === wishes.loseDeviceAt?.[job.attempt - 1])
        throw asFailure(new Error('Failed to submit: Device is lost.'), used);
      step = next;
      rules.take(job.rules?.from(step));
      const rulesVersion = rules.version;
      while (step === wishes.hold?.step && !existsSync(wishes.hold.file))
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      // what a rule weighs is in all that follows
      const { weight } = rules.settings(phase).rewards.format;
      sum = (sum * 31 + step + Math.round(1000 * weight)) % 1_000_003;
      const records = [0, 1].map(sample =>
        rollout({
          step,
          attempt: job.attempt,
          phase: phase.id,
          phase_step: step - before,
          sample,
          reward: sum,
          rules_version: rulesVersion,
        }),
      );
      const writeStep = () => writeRollouts(job.folder, records);
      const rollouts = await (job.whenWritable?.('rollouts', 1000, writeStep) ?? writeStep());
      const metrics = { reward: sum, loss: Number.NaN };
      const timings = { total: (wishes.stepMs ?? 0) / 1000 };
      job.emit({
        kind: 'step',
        phase: phase.id,
        phaseStep: step - before,
        step,
        rulesVersion,
        metrics,
        timings,
        rollouts,
      });
      const stop = job.stopRequested() && step < steps;
      const halt = stop || job.pause?.requested() === true;
      const { every } = job.config.checkpoints;
      if (step === end || halt || (every > 0 && step % every === 0)) await saveAt(step === end);
      if (stop || (halt && job.pause?.rest(step) === 'stop')) return 'stopped';
      if (step === end) {
        job.emit({ kind: 'phase-ended', phase: phase.id, index, step, seconds: 0 });
        job.emit({
          kind: 'evaluation',
          at: phase.id,
          step,
          boundary: true,
          sources: ['rows'],
          seconds: 0,
          languageBias: { bias: 0.5, captionDependence: 0.125 },
          conditions: [
            {
              condition: 'image_caption',
              n: 8,
              right: 5,
              ungradable: 0,
              accuracy: 0.625,
              interval: [0.3, 0.86],
              formatRate: 1,
              majority: 0.25,
            },
            {
              condition: 'image',
              n: 8,
              right: 4,
              ungradable: 0,
              accuracy: 0.5,
              interval: [0.22, 0.78],
              formatRate: 0.75,
              majority: 0.25,
            },
          ],
        });
      }
    }
    before = end;
  }
  return 'finished';
}

void serveJob(smallJob);
