// A program of ours beside the extension host, spoken to over its standard streams: started when it is first asked, ended
// when it has not been asked for a while, so that what it holds does not lie in memory.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  type NotificationType,
  type RequestType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { TriphaseError } from '../protocol/errors';
import type { ErrorRecord } from '../protocol/run';
import type { Program } from './node-program';

const idleMs = 10 * 60_000;

interface Running {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
}

/** What is told while a request is under way. */
export interface Hearing<T> {
  readonly type: NotificationType<T>;
  readonly listener: (told: T) => void;
}

export class ChildProgram {
  private running: Running | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly programOf: () => Program) {}

  /** Rejects with a TriphaseError where the program names one, and with the signal's reason when it was cancelled. */
  async ask<P, R, T>(
    request: RequestType<P, R, ErrorRecord>,
    params: P,
    signal: AbortSignal,
    hearing?: Hearing<T>,
  ): Promise<R> {
    signal.throwIfAborted();
    clearTimeout(this.idle);
    const { connection } = this.start();
    const cancel = new CancellationTokenSource();
    const onAbort = () => cancel.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    const listening = hearing === undefined ? undefined : connection.onNotification(hearing.type, hearing.listener);
    try {
      return await connection.sendRequest<R>(request.method, params, cancel.token);
    } catch (error) {
      signal.throwIfAborted();
      throw asTold(error);
    } finally {
      listening?.dispose();
      cancel.dispose();
      signal.removeEventListener('abort', onAbort);
      clearTimeout(this.idle);
      this.idle = setTimeout(() => this.dispose(), idleMs);
    }
  }

  dispose(): void {
    clearTimeout(this.idle);
    this.running?.connection.dispose();
    // what it computes is of no use any more
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
    // requests that are under way are answered with an error by the connection
    const forget = () => {
      connection.dispose();
      if (this.running === running) this.running = undefined;
    };
    child.once('error', forget);
    child.once('exit', forget);
    connection.listen();
    this.running = running;
    return running;
  }
}

function asTold(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error;
  const { data } = error as ResponseError<ErrorRecord | undefined>;
  if (data === undefined || data.code === 'unexpected') return error;
  return new TriphaseError(data.code, data.message, data.remedy, data.place);
}
