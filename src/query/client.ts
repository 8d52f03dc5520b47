// The other end of the query process, without native parts.

import { ChildProgram } from '../program/child';
import type { IndexingProgress, QuestionName, QuestionNews, Questions, SearchHits } from '../protocol/query';
import { questionRequest } from '../protocol/query-requests';

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

export interface QuestionOptions {
  readonly signal?: AbortSignal;
  readonly onHits?: (hits: SearchHits) => void;
  /** Of a folder that is read for the first time, which takes a while. */
  readonly onIndexing?: (progress: IndexingProgress) => void;
}

export class QueryProcess {
  private readonly child: ChildProgram;

  constructor({ program, node = process.execPath, limits, onLog, reader }: QueryProcessOptions) {
    this.child = new ChildProgram({
      program: () => ({ node, file: program }),
      name: 'The process that reads rollouts',
      environment: {
        ...(reader === undefined ? {} : { TRIPHASE_QUERY_READER: reader }),
        ...(limits === undefined
          ? {}
          : { TRIPHASE_QUERY_MEMORY_MIB: String(limits.memoryMiB), TRIPHASE_QUERY_THREADS: String(limits.threads) }),
      },
      ...(onLog === undefined ? {} : { onLog }),
    });
  }

  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Rejects with a TriphaseError, and with the signal's reason when it was cancelled. */
  ask<N extends QuestionName>(
    name: N,
    params: Questions[N]['params'],
    { signal, onHits, onIndexing }: QuestionOptions = {},
  ): Promise<Questions[N]['result']> {
    const told = (news: QuestionNews) => {
      if (news.kind === 'hits') onHits?.(news.hits);
      else onIndexing?.(news.progress);
    };
    const listens = onHits !== undefined || onIndexing !== undefined;
    return this.child.ask(questionRequest(name), params, { signal, ...(listens ? { told } : {}) });
  }

  /** Ends the process: politely, and after two seconds by force. */
  close(): Promise<void> {
    return this.child.close();
  }
}
