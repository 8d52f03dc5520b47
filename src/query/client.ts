// The other end of the query process, without native parts: starts it when a question comes, and again when it crashed,
// at most four times in three minutes.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  CancellationTokenSource,
  ConnectionError,
  ConnectionErrors,
  createMessageConnection,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { TriphaseError } from '../protocol/errors';
import type { QuestionName, Questions, SearchHits } from '../protocol/query';
import { hitsNotification, questionRequest } from '../protocol/query-requests';
import type { ErrorRecord } from '../protocol/run';

export interface QueryProcessOptions {
  /** dist/query.js, absolute. */
  readonly program: string;
  /** Node.js, or an editor's program that can be it; default: the one that runs this. */
  readonly node?: string;
  /** MiB for each folder that is open, and threads. */
  readonly limits?: { readonly memoryMiB: number; readonly threads: number };
  /** A line of what the process writes on its standard error. */
  readonly onLog?: (line: string) => void;
  /** `plain`: without DuckDB, also where it is there. */
  readonly reader?: 'duckdb' | 'plain';
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly onHits?: (hits: SearchHits) => void;
}

const mostRestarts = 4;
const withinMs = 3 * 60_000;
const graceMs = 2000;

export class QueryProcess {
  private running: Running | undefined;
  private readonly crashes: number[] = [];
  private readonly hits = new Map<number, (hits: SearchHits) => void>();
  private asked = 0;
  private ended = false;

  constructor(private readonly options: QueryProcessOptions) {}

  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.running?.child.pid;
  }

  /** Rejects with a TriphaseError, and with the signal's reason when it was cancelled. */
  async ask<N extends QuestionName>(
    name: N,
    params: Questions[N]['params'],
    { signal, onHits }: AskOptions = {},
  ): Promise<Questions[N]['result']> {
    signal?.throwIfAborted();
    const running = this.start();
    const cancel = new CancellationTokenSource();
    const onAbort = () => cancel.cancel();
    signal?.addEventListener('abort', onAbort);
    const to = this.asked++;
    if (onHits !== undefined) this.hits.set(to, onHits);
    try {
      const request = running.connection.sendRequest(
        questionRequest(name),
        { params, ...(onHits === undefined ? {} : { hits: to }) },
        cancel.token,
      );
      // a crash leaves requests without an answer
      const result = await Promise.race([request, running.gone]);
      signal?.throwIfAborted();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      if (isLost(error)) {
        // its pipes are closed before its end is known
        running.child.kill('SIGKILL');
        await running.gone;
      }
      throw asTriphaseError(error);
    } finally {
      this.hits.delete(to);
      signal?.removeEventListener('abort', onAbort);
      cancel.dispose();
    }
  }

  /** Ends the process: politely, and after two seconds by force. */
  async close(): Promise<void> {
    this.ended = true;
    const { running } = this;
    if (running === undefined) return;
    const { child, connection } = running;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
      connection.end();
      const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(kill);
    }
    connection.dispose();
  }

  private start(): Running {
    if (this.ended) throw new TriphaseError('usage', 'The query process was closed.');
    if (this.running !== undefined) return this.running;
    const now = Date.now();
    while (this.crashes[0] !== undefined && now - this.crashes[0] > withinMs) this.crashes.shift();
    if (this.crashes.length > mostRestarts)
      throw new TriphaseError(
        'unexpected-end',
        `The process that reads rollouts crashed ${this.crashes.length} times in three minutes, and is not started again yet.`,
        'Look into its log, and try again in a few minutes.',
      );
    this.running = this.spawned();
    return this.running;
  }

  private spawned(): Running {
    const { program, node = process.execPath, limits, onLog, reader } = this.options;
    const { NODE_OPTIONS: _options, ...environment } = process.env;
    const child = spawn(node, [program], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...environment,
        ELECTRON_RUN_AS_NODE: '1',
        ELECTRON_NO_ASAR: '1',
        ...(reader === undefined ? {} : { TRIPHASE_QUERY_READER: reader }),
        ...(limits === undefined
          ? {}
          : { TRIPHASE_QUERY_MEMORY_MIB: String(limits.memoryMiB), TRIPHASE_QUERY_THREADS: String(limits.threads) }),
      },
    });
    const said: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(part => part !== '')) {
        onLog?.(line);
        said.push(line);
        if (said.length > 20) said.shift();
      }
    });
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    child.stdin.on('error', () => undefined);
    connection.onError(() => undefined);
    connection.onNotification(hitsNotification, ({ to, hits }) => this.hits.get(to)?.(hits));
    connection.listen();
    const gone = new Promise<never>((_resolve, reject) => {
      const end = (why: string) => {
        if (this.running?.child === child) this.running = undefined;
        if (!this.ended) this.crashes.push(Date.now());
        connection.dispose();
        reject(
          new TriphaseError(
            'unexpected-end',
            `The process that reads rollouts ended before it answered: ${[why, ...said.slice(-3)].join('; ')}.`,
            'Ask again: it is started anew.',
          ),
        );
      };
      child.once('error', error => end(error.message));
      child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    });
    gone.catch(() => undefined);
    return { child, connection, gone };
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
  /** Rejects when the process is gone. */
  readonly gone: Promise<never>;
}

/** As vscode-jsonrpc numbers a connection that is closed or disposed. */
const isLost = (error: unknown): boolean =>
  (error instanceof ResponseError && (error.code === -32097 || error.code === -32096)) ||
  (error instanceof ConnectionError && error.code !== ConnectionErrors.AlreadyListening);

function asTriphaseError(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error;
  const record = error.data as ErrorRecord | undefined;
  if (record === undefined) return error;
  if (record.code === 'unexpected') return new Error(record.message);
  return new TriphaseError(record.code, record.message, record.remedy, record.place);
}
