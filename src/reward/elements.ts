// Elements of a completion, such as <think>…</think>.

export interface Element {
  /** Of the content, in characters of the completion. */
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

export type Found = Element | 'absent' | 'unclosed';

/** The last element of a name. One that was opened last and never closed hides those before it. */
export function lastElement(completion: string, tag: string): Found {
  const open = completion.lastIndexOf(`<${tag}>`);
  if (open < 0) return 'absent';
  const start = open + tag.length + 2;
  const end = completion.indexOf(`</${tag}>`, start);
  return end < 0 ? 'unclosed' : { start, end, content: completion.slice(start, end) };
}

const ENDS_OF_TURN = ['<|im_end|>', '<|endoftext|>', '</s>', '<eos>'];

/** The completion without a decoded end-of-turn token, which may or may not have been kept. */
export function withoutEndOfTurn(completion: string): string {
  const text = completion.trimEnd();
  const end = ENDS_OF_TURN.find(token => text.endsWith(token));
  return end === undefined ? completion : text.slice(0, -end.length);
}
