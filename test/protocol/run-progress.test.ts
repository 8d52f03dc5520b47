import assert from 'node:assert/strict';
import type { RunEventBody } from '../../src/protocol/run';
import { RunProgress } from '../../src/protocol/run-progress';

describe('progress of a run', () => {
  const follow = (...bodies: readonly RunEventBody[]) => {
    const progress = new RunProgress();
    bodies.forEach((body, i) => {
      progress.take({ n: i + 1, time: '', attempt: 1, ...body });
    });
    return progress;
  };
  const started: RunEventBody = {
    kind: 'run-started',
    name: 'test',
    version: '0',
    machine: 'here',
    quick: false,
    supersedesAfter: 0,
  };
  const phases = [{ phase: 'text', trainer: 'grpo', view: 'text', steps: 20 }] as const;
  const plan: RunEventBody = { kind: 'plan', phases, steps: 20 };
  const phase: RunEventBody = { kind: 'phase-started', ...phases[0], index: 0, examples: 9, phaseStep: 0, step: 0 };
  const step = (step: number, total: number): RunEventBody => ({
    kind: 'step',
    phase: 'text',
    phaseStep: step,
    step,
    metrics: {},
    timings: { total },
  });

  it('starts, runs and ends', () => {
    assert.deepEqual(follow().state, { kind: 'starting' });
    assert.deepEqual(follow(started, plan).state, { kind: 'starting' });
    assert.deepEqual(follow(started, plan, phase).state, {
      kind: 'running',
      progress: { phase: 'text', phaseStep: 0, phaseSteps: 20, step: 0, steps: 20 },
    });
    const end: RunEventBody = { kind: 'run-ended', step: 1, outcome: 'stopped', killed: false };
    assert.deepEqual(follow(started, plan, phase, step(1, 3), end).state, { kind: 'stopped', killed: false, step: 1 });
  });

  it('keeps the pace of the latest steps, without the first of a phase once there are others', () => {
    const pace = (...bodies: readonly RunEventBody[]) =>
      follow(started, plan, phase, ...bodies).progress?.secondsPerStep;
    assert.equal(pace(), undefined);
    assert.equal(pace(step(1, 9)), 9);
    assert.equal(pace(step(1, 9), step(2, 2)), 2);
    assert.equal(pace(step(1, 9), step(2, 2), step(3, 4)), 3);
    assert.equal(pace(step(1, 9), step(2, 9), ...Array.from({ length: 8 }, (_, i) => step(3 + i, 1))), 1);
  });

  it('counts the steps that a phase took which ended early, and forgets them where a resume goes back behind', () => {
    const two = [{ ...phases[0], end: 'plateau' } as const, { ...phases[0], phase: 'image' } as const];
    const end: RunEventBody = {
      kind: 'phase-ended',
      phase: 'text',
      index: 0,
      step: 8,
      seconds: 1,
      end: { reason: 'plateau', phaseStep: 8, carried: { which: 'last', phaseStep: 8, checkpoint: 'c' } },
    };
    const both: RunEventBody = { kind: 'plan', phases: two, steps: 40 };
    const before = follow(started, both, phase).progress;
    assert.deepEqual([before?.steps, before?.atMost], [40, true]);
    const image: RunEventBody = { ...phase, phase: 'image', step: 8 };
    const after = follow(started, both, phase, end, image);
    assert.deepEqual([after.progress?.steps, after.progress?.atMost], [28, undefined]);
    const resumed: RunEventBody = { ...started, resumedFrom: { checkpoint: 'c', step: 4 } };
    for (const [i, body] of [resumed, both, phase].entries()) after.take({ n: 9 + i, time: '', attempt: 2, ...body });
    assert.equal(after.progress?.steps, 40);
  });

  it('stays stopping while the last step goes on, and starts afresh when resumed', () => {
    const progress = follow(started, plan, phase);
    progress.stopping();
    progress.take({ n: 4, time: '', attempt: 1, ...step(1, 1) });
    assert.equal(progress.state.kind, 'stopping');
    progress.take({ n: 5, time: '', attempt: 2, ...started, resumedFrom: { checkpoint: 'c', step: 1 } });
    assert.deepEqual(progress.state, { kind: 'starting' });
    assert.equal(progress.step, 1);
  });
});
