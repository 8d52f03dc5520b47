// Follows the events of a run, one after the other, and says how it stands.

import type { PlannedPhase } from './phase';
import type { RunEvent } from './run';
import type { PauseReason, Progress, RunState } from './run-state';

/** The pace is the mean over so many of the latest steps. */
const paceSteps = 8;

export class RunProgress {
  private plan: readonly PlannedPhase[] = [];
  /** Steps of the phases that have ended, and the step of the run after which they had. */
  private readonly ended = new Map<string, { readonly phaseSteps: number; readonly step: number }>();
  private phase: { readonly id: string; readonly steps: number } | undefined;
  private phaseStep = 0;
  private recent: readonly number[] = [];
  /** Steps of this phase whose time is known. */
  private paced = 0;
  private current: RunState = { kind: 'starting' };
  /** Steps done. */
  step = 0;

  get state(): RunState {
    return this.current;
  }

  get phases(): readonly PlannedPhase[] {
    return this.plan;
  }

  get progress(): Progress | undefined {
    const { phase, recent } = this;
    if (phase === undefined) return undefined;
    return {
      phase: phase.id,
      phaseStep: this.phaseStep,
      phaseSteps: phase.steps,
      step: this.step,
      steps: this.plan.reduce((sum, planned) => sum + this.stepsOf(planned), 0),
      ...(this.plan.some(planned => planned.end !== undefined && !this.ended.has(planned.phase))
        ? { atMost: true }
        : {}),
      ...(recent.length === 0
        ? {}
        : { secondsPerStep: recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length }),
    };
  }

  /** The host was asked to stop, which is no event of the log. */
  stopping(): void {
    if (isUnderWay(this.current)) this.become('stopping');
  }

  /** The same, to pause. */
  pausing(): void {
    if (this.current.kind === 'starting' || this.current.kind === 'running') this.become('pausing');
  }

  /** A wait that may not be in the log, as when there is no room for it. */
  waiting(why: PauseReason): void {
    const { progress } = this;
    if (isUnderWay(this.current))
      this.current = { kind: 'paused', why, ...(progress === undefined ? {} : { progress }) };
  }

  /** The wait is over, or the wish for it was taken back. */
  goingOn(): void {
    if (this.current.kind === 'pausing' || this.current.kind === 'paused') this.become('running');
  }

  take(event: RunEvent): void {
    switch (event.kind) {
      case 'run-started':
        this.step = event.resumedFrom?.step ?? 0;
        for (const [phase, { step }] of this.ended) if (step > this.step) this.ended.delete(phase);
        this.phase = undefined;
        this.current = { kind: 'starting' };
        return;
      case 'plan':
        this.plan = event.phases;
        return;
      case 'phase-started':
        this.phase = { id: event.phase, steps: event.steps };
        this.phaseStep = event.phaseStep;
        this.step = event.step;
        this.recent = [];
        this.paced = 0;
        break;
      case 'step': {
        this.phaseStep = event.phaseStep;
        this.step = event.step;
        const seconds = event.timings['total'];
        if (seconds === undefined) break;
        // the first step of a phase also makes its sessions: it counts while there is no other
        this.recent = this.paced === 1 ? [seconds] : [...this.recent.slice(1 - paceSteps), seconds];
        this.paced += 1;
        break;
      }
      case 'run-ended':
        this.current = ended(event);
        return;
      case 'paused':
        this.waiting(event.why);
        return;
      case 'resumed':
        this.goingOn();
        return;
      case 'evaluation':
        break;
      case 'data':
      case 'device':
      case 'rules':
      case 'checkpoint':
      case 'warning':
      case 'micro-batch':
      case 'device-lost':
        return;
      case 'phase-ended':
        if (event.end !== undefined) this.ended.set(event.phase, { phaseSteps: event.end.phaseStep, step: event.step });
        return;
    }
    // a wish stays until it is fulfilled
    const { kind } = this.current;
    this.become(kind === 'stopping' || kind === 'pausing' ? kind : 'running');
  }

  private stepsOf({ phase, steps }: PlannedPhase): number {
    return this.ended.get(phase)?.phaseSteps ?? steps;
  }

  private become(kind: 'running' | 'pausing' | 'stopping'): void {
    const { progress } = this;
    this.current = progress === undefined ? { kind } : { kind, progress };
  }
}

function isUnderWay({ kind }: RunState): boolean {
  return kind === 'starting' || kind === 'running' || kind === 'pausing' || kind === 'paused';
}

function ended(event: Extract<RunEvent, { readonly kind: 'run-ended' }>): RunState {
  switch (event.outcome) {
    case 'finished':
      return { kind: 'finished' };
    case 'stopped':
      return { kind: 'stopped', killed: event.killed, step: event.step };
    case 'failed':
      return { kind: 'failed', error: event.error, step: event.step };
  }
}
