// One example of a data set, as every room speaks of it, and the views that a phase may take of it.

/** What the model gets to see: phase 1 text (question, or scene in words), phase 2 image + caption, phase 3 image. */
export type View = 'text' | 'captioned' | 'image';

/** How the final answer is compared with the gold answer. */
export type AnswerKind = 'number' | 'string' | 'choice';

export interface Example {
  /** Unique within its source; stable from run to run. */
  readonly id: string;
  readonly source: string;
  readonly question: string;
  /** The gold answer, as written in the data; empty where there is none, and only other things can be learned from it. */
  readonly answer: string;
  readonly answerKind: AnswerKind;
  /** Options of a multiple-choice question, in order; option 0 is "A". */
  readonly choices?: readonly string[];
  /** Absolute paths of the images, in order. */
  readonly images: readonly string[];
  /** What the image shows, in words; shown in the captioned view. */
  readonly caption?: string;
  /** The scene in words, complete enough to answer without the image; shown in the text view. */
  readonly scene?: string;
  /** A completion to imitate (SFT phases). */
  readonly target?: string;
  /** The completion that is preferred, and the one that it is preferred to (DPO and scorer phases). */
  readonly preference?: { readonly chosen: string; readonly rejected: string };
  /** A completion in its steps, often one, each with a label from 0 to 1 (scorer phases). */
  readonly judged?: readonly { readonly text: string; readonly label: number }[];
  /** How hard it is, on the scale of its data. */
  readonly difficulty?: number;
}
