// What a person can do with a run, by its state.

import type { RunState } from '../protocol/run';

export type RunAction = 'pause' | 'resume' | 'stop' | 'kill' | 'resumeFromCheckpoint' | 'fork' | 'openLog';

const byState: Readonly<Record<RunState['kind'], readonly RunAction[]>> = {
  starting: ['stop', 'kill', 'openLog'],
  running: ['pause', 'stop', 'kill', 'fork', 'openLog'],
  stopping: ['kill', 'fork', 'openLog'],
  finished: ['resumeFromCheckpoint', 'fork', 'openLog'],
  stopped: ['resumeFromCheckpoint', 'fork', 'openLog'],
  failed: ['resumeFromCheckpoint', 'fork', 'openLog'],
  lost: ['resumeFromCheckpoint', 'fork', 'openLog'],
};

export const actionsOf = (state: Pick<RunState, 'kind'>): readonly RunAction[] => byState[state.kind];
