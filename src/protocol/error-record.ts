// Errors as they are written into a log or sent to another process, and back.

import { describe, type ErrorCode, type Place, TriphaseError } from './errors';

/** A TriphaseError (or any other) as it is written down and sent between processes. */
export interface ErrorRecord {
  readonly code: ErrorCode | 'unexpected';
  readonly message: string;
  readonly remedy?: string;
  readonly place?: Place;
  /** Of unexpected errors only. */
  readonly stack?: string;
}

export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof TriphaseError) {
    const { code, message, remedy, place } = error;
    return { code, message, ...(remedy === undefined ? {} : { remedy }), ...(place === undefined ? {} : { place }) };
  }
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error) };
  return { code: 'unexpected', message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
}

/** What a person reads: `file:line:column: what happened`, then what to do. */
export function describeRecord(record: ErrorRecord): string {
  if (record.code === 'unexpected') return record.stack ?? record.message;
  return describe(new TriphaseError(record.code satisfies ErrorCode, record.message, record.remedy, record.place));
}

export function fromErrorRecord({ code, message, remedy, place }: ErrorRecord): Error {
  return code === 'unexpected' ? new Error(message) : new TriphaseError(code, message, remedy, place);
}
