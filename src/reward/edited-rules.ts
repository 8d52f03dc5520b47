// Rules as one types: the text of a config, or of a file of rewards, as compiled rules and all that is wrong with it. Opened
// once, then asked at each key without waiting.

import { parse } from 'yaml';
import { type LoadedCurriculum, readCurriculum } from '../config/curriculum';
import type { Diagnostic } from '../config/diagnostics';
import { isMapping } from '../config/overrides';
import { readRewardsFile } from '../config/rewards-file';
import { ruleDiagnostics } from './check-rules';
import { compileRulesIn, type Rewards, type RuleSet } from './rule-set';
import { Sandbox } from './sandbox';

export interface EditedText {
  readonly kind: 'curriculum' | 'rewards';
  readonly text: string;
  /** Where relative paths begin, and what diagnostics name. */
  readonly file: string;
}

export interface EditedRules {
  /** Of the top of the file; absent where the rewards cannot be read. */
  readonly compiled?: { readonly rewards: Rewards; readonly rules: RuleSet };
  readonly diagnostics: readonly Diagnostic[];
}

export class RuleEditor {
  private constructor(private readonly sandbox: Sandbox) {}

  static async open(): Promise<RuleEditor> {
    return new RuleEditor(await Sandbox.open());
  }

  read({ kind, text, file }: EditedText): EditedRules {
    const read =
      kind === 'rewards' ? readRewardsFile(text, file) : readCurriculum(text, file, [], { files: 'unchecked' });
    if ('loaded' in read) return this.compiled(read.loaded);
    // what is wrong may be outside the rewards
    const { diagnostics } = read;
    const alone = kind === 'curriculum' ? rewardsAlone(text, file) : undefined;
    const { compiled } = alone === undefined ? {} : this.compiled(alone);
    return compiled === undefined ? { diagnostics } : { compiled, diagnostics };
  }

  private compiled(loaded: LoadedCurriculum): EditedRules {
    const diagnostics = ruleDiagnostics(this.sandbox, loaded);
    if (diagnostics.length > 0) return { diagnostics };
    const { rewards } = loaded.config;
    return { compiled: { rewards, rules: compileRulesIn(this.sandbox, rewards) }, diagnostics };
  }
}

/** The rewards of a curriculum that is wrong elsewhere. */
function rewardsAlone(text: string, file: string): LoadedCurriculum | undefined {
  let root: unknown;
  try {
    root = parse(text, { merge: true });
  } catch {
    return undefined;
  }
  const rewards = isMapping(root) && isMapping(root['rewards']) ? root['rewards'] : {};
  const read = readRewardsFile(JSON.stringify(rewards), file);
  return 'loaded' in read ? read.loaded : undefined;
}
