// Errors that a person is meant to read: what happened, where, what to do next.

export type ErrorCode =
  | 'config'
  | 'data'
  | 'image'
  | 'model'
  | 'tokenizer'
  | 'prompt-too-long'
  | 'device'
  /** It was there, and is gone. */
  | 'device-lost'
  | 'memory'
  | 'not-finite'
  | 'run-folder'
  | 'usage'
  /** Who asks may not: a wrong token, or somebody else controls the run. */
  | 'denied'
  /** Another process is there, and does not answer. */
  | 'no-answer'
  /** Another process ended before it answered. */
  | 'unexpected-end'
  | 'unsupported-operator';

/** A place in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export class TriphaseError extends Error {
  override readonly name = 'TriphaseError';
  constructor(
    readonly code: ErrorCode,
    /** What happened, one sentence. */
    message: string,
    /** What to do next, one sentence. */
    readonly remedy?: string,
    readonly place?: Place,
  ) {
    super(message);
  }
}

/** `file:line:column: what happened. What to do.` */
export function describe(error: unknown): string {
  if (!(error instanceof TriphaseError)) return error instanceof Error ? error.message : String(error);
  const { place, remedy } = error;
  const at = place === undefined ? '' : [place.file, place.line, place.column].filter(p => p !== undefined).join(':');
  return `${at === '' ? '' : `${at}: `}${error.message}${remedy === undefined ? '' : `\n  ${remedy}`}`;
}
