// Reads Parquet files that anyone may have written: in a thread with a limit to its memory, which is ended when it works
// on one part for longer than any right file takes. A damaged page is an error then, and not a program that hangs.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { TriphaseError } from '../protocol/errors';
import type { ParquetPart, ParquetRow, ParquetShape } from './decode';
import type { ParquetAnswer, ParquetAnswers, ParquetQuestion } from './messages';

export type { ParquetPart, ParquetRow, ParquetShape } from './decode';

/** A part is worked on for so long, */
const leastPatienceMs = 5000;
/** and longer where it is large: the slowest machine decodes more than this in a millisecond. */
const bytesPerMs = 2000;
/** Of the thread; lists that grow without end reach it first. */
const mostHeapMiB = 2048;

/** @param file absolute */
export const parquetShape = (file: string): Promise<ParquetShape> => ask({ kind: 'shape', file });

export const parquetRows = (part: ParquetPart): Promise<readonly ParquetRow[]> => ask({ kind: 'rows', ...part });

/** All rows of a file as hyparquet reads them. */
export async function wholeParquet(
  file: string,
  columns?: (shape: ParquetShape) => readonly string[],
): Promise<readonly ParquetRow[]> {
  const shape = await parquetShape(file);
  const to = shape.groups.reduce((sum, { rows }) => sum + rows, 0);
  return parquetRows({ file, from: 0, to, as: 'typed', ...(columns === undefined ? {} : { columns: columns(shape) }) });
}

/** One column; what is not recorded is null. */
export const parquetColumn = (file: string, column: string, from: number, to: number): Promise<readonly unknown[]> =>
  ask({ kind: 'column', file, column, from, to });

let thread: Worker | undefined;
/** One question at a time, so that it is known which one takes too long. */
let last: Promise<unknown> = Promise.resolve();
/** Of the file that was asked of last: rows and bytes of its groups. */
let known: { readonly file: string; readonly shape: ParquetShape } | undefined;

function ask<Q extends ParquetQuestion>(question: Q): Promise<ParquetAnswers[Q['kind']]> {
  const answer = last.then(() => answered(question));
  last = answer.catch(() => undefined);
  return answer as Promise<ParquetAnswers[Q['kind']]>;
}

async function answered(question: ParquetQuestion): Promise<unknown> {
  thread ??= started();
  const worker = thread;
  const shape = known?.file === question.file ? known.shape : undefined;
  worker.ref();
  const answer = await settled(worker, question, patienceFor(shape)).finally(() => worker.unref());
  if ('gone' in answer) {
    thread = undefined;
    await worker.terminate();
  }
  if (!('answer' in answer)) throw unreadable(question, shape, 'gone' in answer ? answer.gone : answer.why);
  if (question.kind === 'shape') known = { file: question.file, shape: answer.answer as ParquetShape };
  return answer.answer;
}

function started(): Worker {
  const worker = new Worker(programFile(), { resourceLimits: { maxOldGenerationSizeMb: mostHeapMiB } });
  // one that ends by itself is followed by another; whoever waits for it hears of it too
  const gone = () => {
    if (thread === worker) thread = undefined;
  };
  worker.on('error', gone).on('exit', gone).unref();
  return worker;
}

/** Never rejects: the answer, or why there is none and never will be. */
function settled(
  worker: Worker,
  question: ParquetQuestion,
  patienceMs: number,
): Promise<ParquetAnswer | { readonly gone: string }> {
  return new Promise(resolve => {
    const before = worker.performance.eventLoopUtilization();
    const end = (answer: ParquetAnswer | { readonly gone: string }) => {
      clearInterval(watch);
      worker.off('message', end).off('error', failed).off('exit', ended);
      resolve(answer);
    };
    const failed = (error: Error & { readonly code?: string }) =>
      end({ gone: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it grows beyond all memory' : error.message });
    const ended = () => end({ gone: 'the thread that decodes it has ended' });
    // what the disk takes does not count, nor a machine that slept
    const look = () => {
      const { active } = worker.performance.eventLoopUtilization(before);
      if (active > patienceMs) end({ gone: `${(active / 1000).toFixed(1)} s of work have come to nothing` });
    };
    const watch = setInterval(look, Math.max(20, patienceMs / 20));
    worker.on('message', end).on('error', failed).on('exit', ended);
    worker.postMessage(question);
  });
}

function patienceFor(shape: ParquetShape | undefined): number {
  const asked = Number(process.env['TRIPHASE_PARQUET_SECONDS']);
  const least = asked > 0 ? 1000 * asked : leastPatienceMs;
  return least + Math.max(0, ...(shape?.groups ?? []).map(({ bytes }) => bytes)) / bytesPerMs;
}

function unreadable(question: ParquetQuestion, shape: ParquetShape | undefined, why: string): TriphaseError {
  const groups = shape?.groups ?? [];
  const group = question.kind === 'shape' ? -1 : groupOf(groups, question.from);
  const where = group < 0 || groups.length < 2 ? '' : ` in row group ${group + 1} of ${groups.length}`;
  return new TriphaseError(
    'data',
    `the Parquet file cannot be read${where}: ${why}`,
    'Write it anew with another compression, Snappy for one, or as JSON lines.',
    { file: question.file },
  );
}

function groupOf(groups: ParquetShape['groups'], row: number): number {
  let end = 0;
  return groups.findIndex(({ rows }) => {
    end += rows;
    return end > row;
  });
}

/** Beside the program that runs, or, of what is built for tests and benchmarks, in the project's dist. */
function programFile(): string {
  const beside = path.join(__dirname, 'parquet.js');
  if (existsSync(beside)) return beside;
  const parts = __dirname.split(path.sep);
  const built = path.join(parts.slice(0, parts.lastIndexOf('out')).join(path.sep), 'dist', 'parquet.js');
  if (parts.includes('out') && existsSync(built)) return built;
  throw new Error(`parquet.js is missing beside the program in ${__dirname}`);
}
