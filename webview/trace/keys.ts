// The keys of the trace, in one table: what they do, and what is shown of them.

export type TraceKey =
  | 'next-step'
  | 'previous-step'
  | 'first-step'
  | 'last-step'
  | 'into'
  | 'out'
  | 'all-rules'
  | 'next-token'
  | 'previous-token'
  | 'next-failing'
  | 'next-uncertain'
  | 'next-sibling'
  | 'previous-sibling'
  | 'later'
  | 'earlier'
  | 'other-run'
  | 'branch'
  | 'heat'
  | 'raw'
  | 'table'
  | 'link'
  | 'editor'
  | 'test'
  | 'help';

interface Binding {
  readonly keys: readonly string[];
  readonly does: TraceKey;
  /** Only among the tokens of a step, or only outside of them. */
  readonly when?: 'tokens' | 'steps';
  /** What is shown of it. */
  readonly shown: string;
  /** English; the view translates it. */
  readonly says: string;
}

export const bindings: readonly Binding[] = [
  { keys: ['ArrowDown', 'j'], does: 'next-step', shown: '↓', says: 'next step' },
  { keys: ['ArrowUp', 'k'], does: 'previous-step', shown: '↑', says: 'previous step' },
  { keys: ['Home'], does: 'first-step', shown: 'Home', says: 'first' },
  { keys: ['End'], does: 'last-step', shown: 'End', says: 'last' },
  { keys: ['ArrowRight', 'Enter', 'l'], does: 'into', when: 'steps', shown: '→', says: 'into the tokens' },
  { keys: ['ArrowRight', 'l'], does: 'next-token', when: 'tokens', shown: '→', says: 'next token' },
  { keys: ['ArrowLeft', 'h'], does: 'previous-token', when: 'tokens', shown: '←', says: 'previous token' },
  { keys: ['Escape'], does: 'out', when: 'tokens', shown: 'Esc', says: 'out of the tokens' },
  { keys: ['Escape'], does: 'all-rules', when: 'steps', shown: 'Esc', says: 'marks of all rules' },
  { keys: ['f'], does: 'next-failing', shown: 'F', says: 'next failing rule' },
  { keys: ['u'], does: 'next-uncertain', shown: 'U', says: 'next uncertain token' },
  { keys: [']'], does: 'next-sibling', shown: ']', says: 'next of its group' },
  { keys: ['['], does: 'previous-sibling', shown: '[', says: 'previous of its group' },
  { keys: ['.'], does: 'later', shown: '.', says: 'same example, later' },
  { keys: [','], does: 'earlier', shown: ',', says: 'same example, earlier' },
  { keys: ['x'], does: 'other-run', shown: 'X', says: 'same example, another run' },
  { keys: ['b'], does: 'branch', shown: 'B', says: 'go on from here' },
  { keys: ['e'], does: 'heat', shown: 'E', says: 'heat of tokens' },
  { keys: ['r'], does: 'raw', shown: 'R', says: 'raw text' },
  { keys: ['t'], does: 'table', shown: 'T', says: 'table of tokens' },
  { keys: ['c'], does: 'link', shown: 'C', says: 'copy a link to here' },
  { keys: ['o'], does: 'editor', shown: 'O', says: 'open as an editor of its own' },
  { keys: ['m'], does: 'test', shown: 'M', says: 'make a test from this' },
  { keys: ['?'], does: 'help', shown: '?', says: 'keys' },
];

/** What a key is to do that no control in the page takes; undefined: nothing here. */
export function keyOf(event: KeyboardEvent, inTokens: boolean): TraceKey | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || isForControl(event)) return undefined;
  const mode = inTokens ? 'tokens' : 'steps';
  return bindings.find(({ keys, when }) => keys.includes(event.key) && (when === undefined || when === mode))?.does;
}

function isForControl({ target, key }: KeyboardEvent): boolean {
  const { tagName } = target as HTMLElement;
  const isTyping = /^(input|textarea|select|vscode-text-field|vscode-dropdown|vscode-option)$/i.test(tagName);
  const inToolbar = (target as HTMLElement).closest('[role=toolbar]') !== null && /^(Arrow|Home|End|Enter)/.test(key);
  const onControl = /^(button|summary|a|vscode-button)$/i.test(tagName) && (key === 'Enter' || key === ' ');
  return isTyping || inToolbar || onControl;
}
