// What a person can do with a run, by its state. Menus, key bindings and the command line ask here, and nowhere else.

import type { RunState } from './run-state';

export type RunAction =
  /** After the step, with everything saved, the model kept in memory. */
  | 'pause'
  /** On from a pause, as the same attempt. */
  | 'resume'
  /** After the step, with everything saved. */
  | 'stop'
  /** At once, back at the last checkpoint. */
  | 'kill'
  /** A new attempt, from the latest checkpoint or one that is chosen. */
  | 'resumeFromCheckpoint'
  /** A new run with a copy of a checkpoint; this one stays as it is. */
  | 'fork'
  | 'openLog';

const byState: Readonly<Record<RunState['kind'], readonly RunAction[]>> = {
  starting: ['stop', 'kill', 'openLog'],
  running: ['pause', 'stop', 'kill', 'fork', 'openLog'],
  // what was asked for can be taken back until it has happened
  pausing: ['resume', 'stop', 'kill', 'fork', 'openLog'],
  paused: ['resume', 'stop', 'kill', 'fork', 'openLog'],
  stopping: ['kill', 'fork', 'openLog'],
  finished: ['resumeFromCheckpoint', 'fork', 'openLog'],
  stopped: ['resumeFromCheckpoint', 'fork', 'openLog'],
  failed: ['resumeFromCheckpoint', 'fork', 'openLog'],
  // who resumes it watches first, and is refused where its host beats
  unseen: ['resumeFromCheckpoint', 'fork', 'openLog'],
  lost: ['resumeFromCheckpoint', 'fork', 'openLog'],
};

/** In the order in which a person would think of them. */
export const actionsOf = (state: Pick<RunState, 'kind'>): readonly RunAction[] => byState[state.kind];

/** Whether a host serves the run, or should: there is somebody to ask. */
export function isServed(state: Pick<RunState, 'kind'>): boolean {
  return actionsOf(state).includes('kill');
}

/** Whether its state may become another without anybody doing anything: it is worth looking at again. */
export function mayChange(state: Pick<RunState, 'kind'>): boolean {
  return isServed(state) || state.kind === 'unseen';
}
