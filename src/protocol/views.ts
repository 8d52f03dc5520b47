// What a view (webview) and the extension say to each other. Every request is answered, with its result or an error that
// the view shows; a view that was hidden is told to ask again, and never handed a difference.

import type { ErrorRecord } from './error-record';
import type { PhasePreview } from './preview';
import type { IndexingProgress, QuestionName, Questions, RolloutRef, SearchHits } from './query';
import type { RunState } from './run-state';
import type { BranchNews, BranchParams, BranchResult } from './session';
import type { RecomputedCurves, RecomputeProgress, Tried } from './trial';

export type ViewName = 'dashboard' | 'rollouts' | 'trace' | 'preview';

/** What a person looks at: all that is kept of a view when the window is closed. */
export type ViewState =
  | { readonly view: 'dashboard'; readonly folders: readonly string[]; readonly ui?: unknown }
  | { readonly view: 'rollouts'; readonly folders: readonly string[]; readonly step?: number; readonly ui?: unknown }
  | {
      readonly view: 'trace';
      readonly folder: string;
      readonly ref: RolloutRef;
      readonly token?: number;
      readonly ui?: unknown;
    }
  | { readonly view: 'preview'; readonly config: string; readonly phase: string; readonly ui?: unknown };

/** Where another view is opened. */
export interface ShowHow {
  readonly beside?: boolean;
  /** A trace as an editor of its own, which stays with its rollout and can be pinned and split. */
  readonly editor?: boolean;
}

/** What a view may ask the extension to do, beside the questions about stored runs. */
export interface Actions {
  /** Opens another view (or brings it to the front) at that state. */
  readonly open: { readonly params: ViewState & ShowHow; readonly result: null };
  readonly copy: { readonly params: { readonly text: string }; readonly result: null };
  /** Asks where to save it. False when the person said no. */
  readonly save: {
    readonly params: { readonly name: string; readonly text?: string; readonly base64?: string };
    readonly result: { readonly saved: boolean };
  };
  /** A command of the extension by its id without `triphase.`, on a run: pause, stop, openRunFolder, fork … */
  readonly command: {
    readonly params: { readonly command: string; readonly folder?: string; readonly step?: number };
    readonly result: null;
  };
  /** Opens the rule where it is written. */
  readonly openRule: { readonly params: { readonly folder: string; readonly rule: string }; readonly result: null };
  /** Remembers in the file of the rules that a hint is no problem, and does not give it again. */
  readonly dismissHint: {
    readonly params: { readonly folder: string; readonly id: string; readonly rule?: string };
    readonly result: null;
  };
  /** Rendered prompts of a phase, as the command line's `preview --json` gives them. */
  readonly preview: {
    readonly params: {
      /** The config file, absolute. */
      readonly config: string;
      /** Default: the first. */
      readonly phase?: string;
      readonly count: number;
      /** This example alone, by its id. */
      readonly example?: string;
    };
    readonly result: PhasePreview;
  };
  /** Copies a link that opens this place again. */
  readonly link: {
    readonly params: { readonly folder: string; readonly ref: RolloutRef; readonly token?: number };
    readonly result: null;
  };
  /** Writes a test case from a completion beside a rule; which one and what it must say, the person is asked. */
  readonly makeTest: {
    readonly params: { readonly folder: string; readonly ref: RolloutRef; readonly rule?: string };
    readonly result: null;
  };
  /** Goes on from a token of a completion. Null: the device is busy with a run, and the person would not disturb it. */
  readonly branch: { readonly params: BranchParams; readonly result: BranchResult | null };
  /** Curves of rewards as a version of the run's rules would have paid them, or its config as it stands in the editor. */
  readonly recompute: {
    readonly params: {
      readonly folder: string;
      readonly under: number | 'now';
      /** The run that these are rules of; default: `folder`. */
      readonly rulesOf?: string;
    };
    readonly result: RecomputedCurves;
  };
  /** Other runs that could be laid over this one. */
  readonly runs: {
    readonly params: null;
    readonly result: readonly { readonly folder: string; readonly name: string }[];
  };
}

export type Requests = Questions & Actions;
export type RequestName = QuestionName | keyof Actions;

export type FromView =
  /** The script runs and asks for its state. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'request'; readonly id: number; readonly name: RequestName; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  /** What the person looks at now. */
  | { readonly kind: 'looks'; readonly state: ViewState };

export type ToView =
  | {
      readonly kind: 'init';
      readonly state: ViewState;
      /** Strings of the view in the editor's language, by their English text. */
      readonly strings: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorRecord }
  /** The run has something new, or another state: ask again for what is shown. */
  | { readonly kind: 'changed'; readonly folder: string; readonly state?: RunState; readonly lastEvent: number }
  | { readonly kind: 'hits'; readonly id: number; readonly hits: SearchHits }
  | { readonly kind: 'indexing'; readonly id: number; readonly progress: IndexingProgress }
  | { readonly kind: 'branching'; readonly id: number; readonly progress: BranchNews }
  | { readonly kind: 'recomputing'; readonly id: number; readonly progress: RecomputeProgress }
  /** Rules are typed in the editor: what they would have paid. */
  | {
      readonly kind: 'tried';
      readonly folder: string;
      readonly tried: Tried;
      /** A run is under way that could take the rules. */
      readonly running: boolean;
    }
  /** Go there without losing the rest. */
  | { readonly kind: 'go'; readonly state: ViewState };
