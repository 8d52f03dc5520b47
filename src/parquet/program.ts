// A thread that decodes Parquet files: dist/parquet.js. Takes a question at a time.

import { parentPort } from 'node:worker_threads';
import { ParquetDecoder } from './decode';
import type { ParquetAnswer, ParquetQuestion } from './messages';

const decoder = new ParquetDecoder();

parentPort?.on('message', async (question: ParquetQuestion) => {
  const answer = await answerTo(question).then(
    (answer): ParquetAnswer => ({ answer }),
    (error: unknown): ParquetAnswer => ({ why: error instanceof Error ? error.message : String(error) }),
  );
  parentPort?.postMessage(answer);
});

function answerTo(question: ParquetQuestion) {
  switch (question.kind) {
    case 'shape':
      return decoder.shape(question.file);
    case 'rows':
      return decoder.rows(question);
    case 'column':
      return decoder.column(question.file, question.column, question.from, question.to);
  }
}
