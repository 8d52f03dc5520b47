// What a phase would show, before it is run: rendered prompts, and what the rules pay for answers to them.

import type { Example, View } from './example';
import type { Scored } from './rewards';
import type { SourceReport } from './source-report';

export interface PreviewedImage {
  readonly file: string;
  /** Pixels, of the file and as the model sees it. */
  readonly width: number;
  readonly height: number;
  readonly seenWidth: number;
  readonly seenHeight: number;
  readonly tokens: number;
}

/** The gold answer written as it is asked for, a wrong one, and none. */
export interface Payment {
  readonly what: 'gold' | 'wrong' | 'empty';
  readonly completion: string;
  readonly scored: Scored;
}

export interface PreviewedPrompt {
  readonly example: Example;
  readonly view: View;
  /** The chat template filled in. */
  readonly text: string;
  readonly tokens: number;
  readonly maxTokens: number;
  readonly images: readonly PreviewedImage[];
  /** None where there is no gold answer. */
  readonly payments: readonly Payment[];
  /** What the phase learns from in place of rewards. */
  readonly completions: readonly PreviewedCompletion[];
}

export interface PreviewedCompletion {
  readonly what: 'target' | 'chosen' | 'rejected' | 'judged';
  readonly text: string;
  /** The token that ends it not counted. */
  readonly tokens: number;
  /** Of what is judged. */
  readonly label?: number;
}

export interface PhasePreview {
  readonly sources: readonly SourceReport[];
  readonly prompts: readonly PreviewedPrompt[];
}
