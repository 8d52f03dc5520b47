// Every command, with what it needs: whoever calls it is refused without that, in one place (run-command.ts). Handlers are
// loaded when they are first used.

import type { RunAction } from '../protocol/run-actions';
import type { TriphaseWindow } from './triphase-window';
import type { WatchedRun } from './watched-run';

/** What a menu, a view or another command hands over. */
export type Arguments = readonly unknown[];

export type Command =
  /** Looks, and is there in any workspace. */
  | { readonly needs: 'nothing'; readonly run: (window: TriphaseWindow, args: Arguments) => Promise<void> }
  /** Starts a process, or writes where the workspace says. */
  | { readonly needs: 'trust'; readonly run: (window: TriphaseWindow, args: Arguments) => Promise<void> }
  /** Recorded rollouts, ours or another trainer's. */
  | {
      readonly needs: 'folder';
      readonly run: (window: TriphaseWindow, folder: string, args: Arguments) => Promise<void>;
    }
  /** A run of ours to look at. */
  | { readonly needs: 'run'; readonly run: (window: TriphaseWindow, run: WatchedRun, args: Arguments) => Promise<void> }
  /** A run whose state allows one of these, in a trusted workspace. */
  | {
      readonly needs: 'action';
      /** Any of them. */
      readonly actions: readonly RunAction[];
      readonly run: (window: TriphaseWindow, run: WatchedRun, args: Arguments) => Promise<void>;
    };

const controlling = async (run: WatchedRun, ask: () => Promise<void>) =>
  (await import('./control')).controlling(run, ask);

export const commands = {
  newCurriculum: { needs: 'trust', run: async () => (await import('./new-curriculum')).newCurriculum() },
  checkMachine: { needs: 'trust', run: async window => (await import('./check-machine')).checkMachine(window) },
  run: { needs: 'trust', run: async (window, args) => (await import('./run-commands')).runCurriculum(window, args) },
  runQuick: { needs: 'trust', run: async (window, args) => (await import('./run-commands')).runQuick(window, args) },
  runPhase: { needs: 'trust', run: async (window, args) => (await import('./run-commands')).runPhase(window, args) },
  pause: { needs: 'action', actions: ['pause'], run: async (_window, run) => controlling(run, () => run.pause()) },
  resume: {
    needs: 'action',
    actions: ['resume', 'resumeFromCheckpoint'],
    run: async (window, run) => (await import('./run-commands')).resume(window, run),
  },
  stop: {
    needs: 'action',
    actions: ['stop'],
    run: async (_window, run) => controlling(run, () => run.stop('after-step')),
  },
  kill: { needs: 'action', actions: ['kill'], run: async (_window, run) => (await import('./run-commands')).kill(run) },
  resumeFromCheckpoint: {
    needs: 'action',
    actions: ['resumeFromCheckpoint'],
    run: async (window, run, args) => (await import('./run-commands')).resumeFromCheckpoint(window, run, args),
  },
  fork: {
    needs: 'action',
    actions: ['fork'],
    run: async (_window, run, args) => (await import('./fork')).fork(run, args),
  },
  evaluate: {
    needs: 'action',
    actions: ['openLog'],
    run: async ({ context }, run, args) => (await import('./run-commands')).evaluate(context, run, args),
  },
  previewPhase: {
    needs: 'trust',
    run: async (window, args) => (await import('./run-commands')).previewPhase(window, args),
  },
  applyRules: {
    needs: 'trust',
    run: async ({ runs }, [target]) => (await import('./rules/apply-rules')).applyRules(runs, target),
  },
  testRules: {
    needs: 'trust',
    run: async (window, args) => (await import('./rules/apply-rules')).testRules(window, args),
  },
  openDashboard: {
    needs: 'folder',
    run: async ({ panels }, folder) => panels.show({ view: 'dashboard', folders: [folder] }),
  },
  openRollouts: {
    needs: 'folder',
    run: async ({ panels }, folder, [, step]) =>
      panels.show({ view: 'rollouts', folders: [folder], ...(typeof step === 'number' ? { step } : {}) }),
  },
  openConfig: { needs: 'run', run: async (_window, run) => (await import('./open-files')).openConfig(run) },
  openRunFolder: { needs: 'run', run: async (_window, run) => (await import('./open-files')).openRunFolder(run) },
  openLog: { needs: 'run', run: async (_window, run) => (await import('./open-files')).openLog(run) },
  openForeignRun: {
    needs: 'nothing',
    run: async (window, args) => (await import('./foreign-run')).openForeignRun(window, args),
  },
} as const satisfies Readonly<Record<string, Command>>;
