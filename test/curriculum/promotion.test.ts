import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { JobEvent } from '../../src/curriculum/job';
import { judge, newPromotion, type PromotionState } from '../../src/curriculum/promotion';
import { openCheckpoint } from '../../src/run/checkpoints';
import { type FinishedRun, stepsOf } from './run-job';
import { SmallRuns } from './small-run';

describe('a phase that evaluations decide about', () => {
  const settings = {
    by: 'plateau',
    metric: 'accuracy',
    every: 10,
    patience: 2,
    min_delta: 0.05,
    target: 0.9,
    carry: 'best',
  } as const;

  function follow(values: readonly number[], by: 'steps' | 'plateau' | 'target') {
    let state: PromotionState = newPromotion(0);
    for (const [i, value] of values.entries()) {
      const at = { value, phaseStep: (i + 1) * 10, checkpoint: `c${i}` };
      const verdict = judge({ ...settings, by }, state, at);
      state = verdict.state;
      if (verdict.over !== undefined) return { over: verdict.over, after: at.phaseStep, best: state.best?.phaseStep };
    }
    return { over: undefined, after: values.length * 10, best: state.best?.phaseStep };
  }

  it('is over when so many evaluations in a row have not risen by more than min_delta', () => {
    // 0.52 and 0.54 are above 0.5, but not by enough; the best is the greatest all the same
    assert.deepEqual(follow([0.3, 0.5, 0.52, 0.54, 0.9], 'plateau'), { over: 'plateau', after: 40, best: 40 });
    // a rise in between begins the count anew
    assert.deepEqual(follow([0.3, 0.3, 0.5, 0.4, 0.4], 'plateau'), { over: 'plateau', after: 50, best: 30 });
    assert.deepEqual(follow([0.1, 0.2, 0.3, 0.4], 'plateau'), { over: undefined, after: 40, best: 40 });
    // of equal ones the first
    assert.equal(follow([0.5, 0.5], 'plateau').best, 10);
  });

  it('is over at its target, and by steps only at the last of them', () => {
    assert.deepEqual(follow([0.3, 0.9, 0.1], 'target'), { over: 'target', after: 20, best: 20 });
    assert.deepEqual(follow([0.3, 0.8, 0.1], 'target'), { over: undefined, after: 30, best: 20 });
    assert.deepEqual(follow([0.9, 0.1, 0.1, 0.1], 'steps'), { over: undefined, after: 40, best: 10 });
  });
});

describe('promotion in a run', function () {
  this.timeout(120_000);
  let runs: SmallRuns;
  before(async () => {
    runs = await SmallRuns.make();
  });
  after(() => runs.remove());

  // the share of completions that end in time differs from step to step at this rate, and a second phase follows
  const watched = [
    'evaluation.data=[rows]',
    'evaluation.conditions=[image]',
    'evaluation.samples=8',
    'evaluation.temperature=1',
    'optimizer.learning_rate=0.01',
    'checkpoints.every=0',
    'phases.text.steps=6',
    'phases.text.promotion={by: plateau, metric: format_rate, condition: text, every: 1, patience: 2, carry: best}',
    'grpo.beta=0.05',
    'grpo.reference=previous',
  ];
  const twoPhases = [
    ...watched,
    'phases=[{id: text, view: text, sources: [rows], steps: 6, prompts: 3, promotion: {by: plateau, metric: format_rate, condition: text, every: 1, patience: 2, carry: best}}, {id: more, view: text, sources: [rows], steps: 2, prompts: 3}]',
  ];
  const file = (run: FinishedRun, checkpoint: string): Buffer =>
    readFileSync(path.join(run.folder, checkpoint, 'model.safetensors'));
  const ends = (events: readonly JobEvent[]) => events.flatMap(e => (e.kind === 'phase-ended' ? [e] : []));
  const values = (events: readonly JobEvent[], phase: string) =>
    events.flatMap(e =>
      e.kind === 'evaluation' && e.at === phase && e.conditions[0]?.condition === 'text'
        ? [e.conditions[0].formatRate]
        : [],
    );

  it('ends a phase on its plateau, carries its best model on, and says both', async () => {
    const run = await runs.run('plateau', twoPhases);
    const [first, second] = ends(run.events);
    const seen = values(run.events, 'text');
    assert.equal(first!.end!.reason, 'plateau');
    assert.equal(first!.end!.phaseStep, seen.length);
    assert.ok(seen.length < 6, 'the values of these seeds have a plateau');
    const best = Math.max(...seen);
    const bestStep = seen.indexOf(best) + 1;
    assert.equal(bestStep, seen.length - 2);
    const folder = `checkpoints/text-00000${bestStep}`;
    assert.deepEqual(first!.end!.carried, { which: 'best', phaseStep: bestStep, checkpoint: folder });
    assert.deepEqual(first!.end!.watched, {
      condition: 'text',
      metric: 'format_rate',
      best: { value: best, phaseStep: bestStep, checkpoint: folder },
      last: {
        value: seen.at(-1),
        phaseStep: seen.length,
        checkpoint: `checkpoints/text-00000${seen.length}`,
      },
    });
    // the best is kept, though only the newest would stay, and the end of the phase is it
    assert.ok(file(run, folder).equals(file(run, `checkpoints/text-00000${seen.length}`)));
    assert.deepEqual(second!.end, {
      reason: 'steps',
      phaseStep: 2,
      carried: { which: 'last', phaseStep: 2, checkpoint: `checkpoints/more-00000${seen.length + 2}` },
    });
    assert.equal(stepsOf(run).at(-1)!.step, seen.length + 2);
    const plan = run.events.find(e => e.kind === 'plan');
    assert.deepEqual(
      plan!.phases.map(p => [p.steps, p.end]),
      [
        [6, 'plateau'],
        [2, undefined],
      ],
    );
  });

  it('ends bit for bit as the unbroken run when it is resumed, before and after its end', async () => {
    const sets = [...twoPhases, 'checkpoints.every=1', 'checkpoints.keep=100'];
    const whole = await runs.run('whole', sets);
    const saved = new Map(
      readdirSync(path.join(whole.folder, 'checkpoints')).map(name => [name, file(whole, `checkpoints/${name}`)]),
    );
    for (const name of saved.keys()) {
      const again = await runs.run('whole', sets, {
        attempt: 2,
        resumeFrom: path.join(whole.folder, 'checkpoints', name),
      });
      const { step } = openCheckpoint(path.join(whole.folder, 'checkpoints', name));
      assert.deepEqual(
        stepsOf(again).map(s => [s.step, s.metrics]),
        stepsOf(whole)
          .filter(s => s.step > step)
          .map(s => [s.step, s.metrics]),
        name,
      );
      const left = ends(again.events).map(e => e.end);
      assert.deepEqual(
        left,
        ends(whole.events)
          .slice(ends(whole.events).length - left.length)
          .map(e => e.end),
        name,
      );
      for (const [checkpoint, bytes] of saved) assert.ok(file(again, `checkpoints/${checkpoint}`).equals(bytes));
    }
    // a phase that is over is planned with the steps that it took
    const last = [...saved.keys()].filter(name => name.startsWith('more')).at(-1)!;
    const again = await runs.run('whole', sets, {
      attempt: 3,
      resumeFrom: path.join(whole.folder, 'checkpoints', last),
    });
    const plan = again.events.find(e => e.kind === 'plan');
    assert.equal(plan!.phases[0]!.steps, values(whole.events, 'text').length);
    assert.equal(plan!.phases[0]!.end, undefined);
  });

  it('makes up for an evaluation that it was stopped before', async () => {
    const whole = await runs.run('unbroken', twoPhases);
    let steps = 0;
    const stopped = await runs.run('stopped', twoPhases, {
      emit: e => {
        if (e.kind === 'step') steps++;
      },
      stopRequested: () => steps === 2,
    });
    const names = readdirSync(path.join(stopped.folder, 'checkpoints'));
    assert.ok(names.includes('text-000002'));
    const rest = await runs.run('stopped', twoPhases, {
      attempt: 2,
      resumeFrom: path.join(stopped.folder, 'checkpoints', 'text-000002'),
    });
    assert.deepEqual(values(rest.events, 'text'), values(whole.events, 'text').slice(1));
    assert.deepEqual(
      ends(rest.events).map(e => e.end),
      ends(whole.events).map(e => e.end),
    );
    const last = ends(whole.events).at(-1)!.end!.carried.checkpoint;
    assert.ok(file(rest, last).equals(file(whole, last)));
  });

  it('never removes the best of a phase, and carries the last where that is asked', async () => {
    const run = await runs.run('kept', [
      ...watched,
      'checkpoints.every=1',
      'checkpoints.keep=1',
      'phases.text.promotion.carry=last',
      'phases.text.promotion.patience=3',
    ]);
    const [end] = ends(run.events);
    const { best } = end!.end!.watched!;
    assert.equal(end!.end!.carried.which, 'last');
    assert.notEqual(best.phaseStep, end!.end!.phaseStep);
    assert.ok(existsSync(path.join(run.folder, best.checkpoint, 'model.safetensors')));
    const ended = end!.end!.carried.checkpoint;
    assert.ok(!file(run, ended).equals(file(run, best.checkpoint)));
    // beside the newest that is no end
    assert.deepEqual(readdirSync(path.join(run.folder, 'checkpoints')).toSorted(), [
      'text-000001',
      'text-000003',
      'text-000004',
    ]);
    assert.equal(best.checkpoint, 'checkpoints/text-000001');
  });

  it('ends at a target', async () => {
    const run = await runs.run('target', [
      ...watched,
      'phases.text.promotion={by: target, target: 0, metric: format_rate, condition: text, every: 2}',
    ]);
    const [end] = ends(run.events);
    assert.deepEqual([end!.end!.reason, end!.end!.phaseStep], ['target', 2]);
  });

  it('refuses a condition that no example can be shown in', async () => {
    const asked = [...watched, 'phases.text.promotion.condition=caption'];
    await assert.rejects(runs.run('unseen', asked), {
      code: 'data',
      message: /phase text is watched by an evaluation of the condition caption/,
    });
  });
});
