// What an evaluation has found: accuracy by condition, and how far answers come without looking.

/**
 * What the model is shown at an evaluation; `mismatched` is the image of another example, `text` what a text phase shows:
 * the question or the scene in words.
 */
export type Condition = 'image_caption' | 'image' | 'caption' | 'question' | 'mismatched' | 'text';

export interface ConditionResult {
  readonly condition: Condition;
  /** Answers graded, several samples an item counted apart. */
  readonly n: number;
  readonly right: number;
  readonly ungradable: number;
  /** right / n */
  readonly accuracy: number;
  /** 95% interval of the accuracy. */
  readonly interval: readonly [number, number];
  /** Share of completions in the asked format. */
  readonly formatRate: number;
  /** Share of completions cut at the token limit. */
  readonly truncatedRate?: number;
  /** Mean length of the completions, tokens. */
  readonly lengthTokens?: number;
  /** Mean reward by the rules of the config; a rule that compares the samples of an item compares these. */
  readonly reward?: number;
  /** Mean score of each rule, where it could be asked. */
  readonly rules?: Readonly<Record<string, number>>;
  /** Accuracy of a guess among the choices; absent where the answers are open. */
  readonly chance?: number;
  /** Accuracy of always giving the most frequent gold answer. */
  readonly majority: number;
}

/** How far the answers come without looking; figures are absent where a condition was not evaluated. */
export interface LanguageBias {
  /** Accuracy on the question alone over accuracy on the image. */
  readonly bias?: number;
  /** Accuracy on image + caption less accuracy on the image. */
  readonly captionDependence?: number;
}

export interface EvaluationFigures {
  readonly conditions: readonly ConditionResult[];
  readonly languageBias: LanguageBias;
}

/** Of all sources together, each answer counted once. */
export interface Evaluation extends EvaluationFigures {
  readonly sources: readonly string[];
  /** Of each source alone, in their order; absent where there is only one, and in logs of earlier versions. */
  readonly bySource?: readonly (EvaluationFigures & { readonly source: string })[];
  readonly seconds: number;
}
