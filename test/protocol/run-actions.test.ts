import assert from 'node:assert/strict';
import { actionsOf, isServed, mayChange } from '../../src/protocol/run-actions';
import { runStates } from '../../src/protocol/run-state';

describe('what a person can do with a run', () => {
  const statesWith = (action: string) => runStates.filter(kind => actionsOf({ kind }).some(a => a === action));

  it('is something in every state', () => {
    for (const kind of runStates) assert.ok(actionsOf({ kind }).includes('openLog'), kind);
  });

  it('is to pause what runs, and to go on with what waits', () => {
    assert.deepEqual(statesWith('pause'), ['running']);
    assert.deepEqual(statesWith('resume'), ['pausing', 'paused']);
  });

  it('is to end what a host serves, and to start a new attempt of what none does', () => {
    const served = runStates.filter(kind => isServed({ kind }));
    assert.deepEqual(served, ['starting', 'running', 'pausing', 'paused', 'stopping']);
    assert.deepEqual(statesWith('kill'), served);
    const moving = runStates.filter(kind => mayChange({ kind }));
    assert.deepEqual(moving, [...served, 'unseen'], 'a host on another machine may show itself, or fall silent');
    assert.deepEqual(statesWith('resumeFromCheckpoint'), ['finished', 'stopped', 'failed', 'unseen', 'lost']);
  });
});
