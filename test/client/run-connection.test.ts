// Hosts in detached processes of their own, with the small worker, found and followed through their run folders.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectToRun, type RunConnection } from '../../src/client/run-connection';
import { startHost, startRun } from '../../src/client/start';
import type { RunEvent, RunState } from '../../src/protocol/run';
import { readEvents } from '../../src/run/event-log';
import { readRunState } from '../../src/run/folder';
import { identityOf, stateOf } from '../../src/run/processes';
import { bundle } from '../host/bundle';
import { smallCurriculum } from '../host/small-curriculum';
import { temporaryFolder } from '../run/temporary';

describe('a run seen from outside', () => {
  let programs = '';
  let pids: number[] = [];
  let connections: RunConnection[] = [];

  before(() => {
    programs = mkdtempSync(path.join(tmpdir(), 'triphase-programs-'));
    bundle(programs, { cli: 'src/cli/main.ts', worker: 'test/host/small-worker.ts' });
    process.env['NODE_PATH'] = path.resolve('node_modules');
  });
  after(() => {
    rmSync(programs, { recursive: true, force: true });
    delete process.env['NODE_PATH'];
  });
  afterEach(async () => {
    for (const connection of connections) connection.close();
    for (const pid of pids) kill(pid);
    await until(() => !pids.some(alive));
    [pids, connections] = [[], []];
    delete process.env['TRIPHASE_SMALL_JOB'];
  });
  // removed after the hosts in it have been killed
  const folder = temporaryFolder();

  const run = () => path.join(folder(), 'run');
  const program = () => ({ nodePath: process.execPath, cli: path.join(programs, 'cli.js') });
  const start = async (wishes: object, steps: readonly number[]) => {
    process.env['TRIPHASE_SMALL_JOB'] = JSON.stringify(wishes);
    const started = await startRun(program(), { configFile: smallCurriculum(folder(), steps), folder: run() });
    pids.push(started.pid);
    return started;
  };
  const connect = async (name: string, after = 0, at = run()) => {
    const events: RunEvent[] = [];
    const states: RunState['kind'][] = [];
    const connection = await connectToRun(
      at,
      { name, control: true, after },
      { event: event => events.push(event), state: state => states.push(state.kind) },
    );
    connections.push(connection);
    return { connection, events, states };
  };

  it('is there at once, and is followed from its first event to its last', async () => {
    await start({ stepMs: 30 }, [6]);
    assert.equal(readRunState(run()).kind, 'starting');
    const { connection, events, states } = await connect('window');
    await until(() => connection.state.kind === 'finished');
    assert.deepEqual(events, readEvents(run()).events);
    assert.equal(states[0], 'starting');
    assert.equal(states.at(-1), 'finished');
    await until(() => !connection.connected);
    assert.match(readFileSync(path.join(run(), 'host.log'), 'utf8'), /plan +p0 6 = 6 steps/);
  });

  it('goes on while watchers come and go, each from the event that it saw last', async () => {
    await start({ stepMs: 40 }, [30]);
    const seen: RunEvent[] = [];
    for (let i = 0; i < 5; i++) {
      const { connection, events } = await connect(`window ${i}`, seen.at(-1)?.n ?? 0);
      const before = seen.length;
      await until(() => events.length > 2);
      connection.close();
      seen.push(...events);
      assert.ok(seen.length > before);
    }
    assert.deepEqual(
      seen.map(event => event.n),
      seen.map((_, i) => i + 1),
    );
    assert.equal(new Set(seen.map(event => event.attempt)).size, 1);
  });

  it('is lost when its host is killed, and followed again when it is resumed', async () => {
    const { pid } = await start({ stepMs: 40 }, [3, 20]);
    const { connection, events, states } = await connect('window');
    await until(() => events.some(event => event.kind === 'step' && event.step >= 5));
    process.kill(pid, 'SIGKILL');
    await until(() => connection.state.kind === 'lost');
    assert.equal(readRunState(run()).kind, 'lost');
    await assert.rejects(connection.pause(), { code: 'run-folder' });
    // a run that nobody serves is looked at once a second: the rest must last longer than that
    process.env['TRIPHASE_SMALL_JOB'] = '{"stepMs":150}';
    pids.push((await startHost(program(), run())).pid);
    await until(() => connection.state.kind === 'finished');
    assert.deepEqual(
      events.map(event => event.n),
      events.map((_, i) => i + 1),
    );
    assert.ok(states.includes('lost') && states.indexOf('lost') < states.lastIndexOf('running'));
  });

  it('is paused, gone on with and stopped from there', async () => {
    await start({ stepMs: 30 }, [100]);
    const { connection } = await connect('window');
    await until(() => connection.state.kind === 'running' && connection.connected);
    assert.equal(connection.controls, true);
    await connection.pause();
    await until(() => connection.state.kind === 'paused');
    await connection.resume();
    await until(() => connection.state.kind === 'running');
    const { state } = connection;
    assert.ok(state.kind === 'running' && state.progress !== undefined && state.progress.steps === 100);
    await connection.stop('after-step');
    await until(() => connection.state.kind === 'stopped');
  });

  it('that could not begin says why', async () => {
    const { pid } = await start({ stepMs: 30 }, [3]);
    const { connection } = await connect('window');
    await until(() => connection.state.kind === 'finished');
    connection.close();
    await until(() => !alive(pid));
    pids.push((await startHost(program(), run(), 'p0-000099')).pid);
    await until(() => readRunState(run()).kind === 'failed');
    const state = readRunState(run());
    assert.match(state.kind === 'failed' ? state.error.message : '', /no whole checkpoint named p0-000099/);
  });

  it('that was copied is not taken for the one that is served', async () => {
    await start({ stepMs: 40 }, [60]);
    const { connection } = await connect('window');
    await until(() => connection.state.kind === 'running' && connection.lastEvent > 5);
    const copy = path.join(folder(), 'copy');
    cpSync(run(), copy, { recursive: true });
    assert.ok(existsSync(path.join(copy, 'run.json')));
    assert.equal(readRunState(copy).kind, 'lost');
    const other = await connect('window', 0, copy);
    assert.equal(other.connection.state.kind, 'lost');
    assert.equal(other.connection.connected, false);
    await assert.rejects(other.connection.stop('now'), { code: 'run-folder' });
  });
});

const moment = () => new Promise(resolve => setTimeout(resolve, 10));

async function until(reached: () => boolean): Promise<void> {
  // a test that has failed must not wait on
  for (let i = 0; !reached() && i < 5000; i++) await moment();
  assert.ok(reached(), reached.toString());
}

function alive(pid: number): boolean {
  const identity = identityOf(pid);
  return identity !== undefined && stateOf(identity) === 'alive';
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
