// The process that goes on from tokens: started when it is first asked, ended when it has not been asked for a while, so
// that its model does not lie in memory.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { TriphaseError } from '../../protocol/errors';
import type { ErrorRecord } from '../../protocol/run';
import {
  type BranchParams,
  type BranchProgress,
  type BranchResult,
  branchNotification,
  branchRequest,
} from '../../protocol/session';
import type { Program } from '../node-program';

const idleMs = 10 * 60_000;

interface Running {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
}

export class InteractiveProcess {
  private running: Running | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly programOf: () => Program) {}

  async branch(
    params: BranchParams,
    signal: AbortSignal,
    told: (progress: BranchProgress) => void,
  ): Promise<BranchResult> {
    clearTimeout(this.idle);
    const { connection } = this.start();
    const cancel = new CancellationTokenSource();
    const onAbort = () => cancel.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    const listening = connection.onNotification(branchNotification, told);
    try {
      return await connection.sendRequest(branchRequest, params, cancel.token);
    } catch (error) {
      throw asTold(error);
    } finally {
      listening.dispose();
      signal.removeEventListener('abort', onAbort);
      this.idle = setTimeout(() => this.dispose(), idleMs);
    }
  }

  dispose(): void {
    clearTimeout(this.idle);
    this.running?.connection.dispose();
    // it ends with its input; what it computes is of no use any more
    this.running?.child.kill();
    this.running = undefined;
  }

  private start(): Running {
    if (this.running !== undefined) return this.running;
    const { node, file } = this.programOf();
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(node, [file], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...env, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' },
    });
    if (child.stdout === null || child.stdin === null) throw new Error('a child process has no streams');
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const running = { child, connection };
    child.once('error', () => this.forget(running));
    child.once('exit', () => this.forget(running));
    connection.listen();
    this.running = running;
    return running;
  }

  /** Requests that are under way are answered with an error by the connection. */
  private forget(gone: Running): void {
    gone.connection.dispose();
    if (this.running === gone) this.running = undefined;
  }
}

function asTold(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error;
  const { data } = error as ResponseError<ErrorRecord | undefined>;
  if (data === undefined || data.code === 'unexpected') return error;
  return new TriphaseError(data.code, data.message, data.remedy, data.place);
}
