// The questions of query.ts as messages of the query process: one request type a question. A request that is cancelled is
// broken off where it stands.

import { NotificationType, RequestType } from 'vscode-jsonrpc';
import type { QuestionName, Questions, SearchHits } from './query';
import type { ErrorRecord } from './run';

export interface QuestionParams<N extends QuestionName> {
  readonly params: Questions[N]['params'];
  /** First hits of a search are sent under this number, where there is one. */
  readonly hits?: number;
}

export const questionRequest = <N extends QuestionName>(name: N) =>
  new RequestType<QuestionParams<N>, Questions[N]['result'], ErrorRecord>(`triphase/query/${name}`);

export interface HitsFor {
  readonly to: number;
  readonly hits: SearchHits;
}

export const hitsNotification = new NotificationType<HitsFor>('triphase/query/hits');
