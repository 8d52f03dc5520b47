// The command line of one command, parsed; whatever cannot be understood is a usage error that names the nearest.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../config/nearest';
import { TriphaseError } from '../protocol/errors';

export type OptionTable = NonNullable<ParseArgsConfig['options']>;

interface CommandLine<O extends OptionTable> {
  /** With its second word where it has one: "rules test". */
  readonly command: string;
  readonly options: O;
  /** Names of the positional arguments; all must be given. */
  readonly positionals: readonly string[];
  /** Names of those that may follow. */
  readonly optional?: readonly string[];
}

type Parsed<O extends OptionTable> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>;

export interface Arguments<O extends OptionTable> {
  readonly values: Parsed<O>['values'];
  readonly positionals: readonly string[];
}

export function parseCommandLine<const O extends OptionTable>(
  { command, options, positionals: names, optional = [] }: CommandLine<O>,
  args: readonly string[],
): Arguments<O> {
  const seeHelp = `See \`triphase help ${command.split(' ')[0]}\`.`;
  refuseUnknown(args, options, seeHelp);
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw withoutValue(args, options) ?? new TriphaseError('usage', firstSentence(error), seeHelp);
  }
  const { values, positionals } = parsed;
  const missing = names[positionals.length];
  if (missing !== undefined) throw new TriphaseError('usage', `${command} needs ${missing}.`, seeHelp);
  const surplus = positionals[names.length + optional.length];
  if (surplus !== undefined) {
    throw new TriphaseError(
      'usage',
      `${command} does not take '${surplus}'.`,
      `${seeHelp} Texts with spaces go in quotes.`,
    );
  }
  return { values, positionals };
}

/** The number of an option; undefined when it is not given. */
export function numberOption(
  name: string,
  value: string | undefined,
  { least, most, whole }: { readonly least: number; readonly most?: number; readonly whole: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  const fits = number >= least && number <= (most ?? Number.MAX_VALUE);
  if (Number.isFinite(number) && fits && (!whole || Number.isSafeInteger(number))) return number;
  throw new TriphaseError(
    'usage',
    `--${name} must be ${whole ? 'a whole number' : 'a number'} of at least ${least}${most === undefined ? '' : ` and at most ${most}`}, but it is '${value}'.`,
  );
}

function refuseUnknown(args: readonly string[], options: OptionTable, seeHelp: string): void {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const known = Object.keys(options);
  const shorts = Object.values(options).flatMap(option => (option.short === undefined ? [] : [option.short]));
  for (const token of tokens) {
    if (token.kind !== 'option' || known.includes(token.name)) continue;
    if (!token.rawName.startsWith('--') && shorts.includes(token.name)) continue;
    const near = nearest(token.name, known);
    throw new TriphaseError(
      'usage',
      `There is no option ${token.rawName}.`,
      near === undefined ? seeHelp : `Did you mean --${near}?`,
    );
  }
}

/** An option that takes a value, at the end or before something that looks like another option. */
function withoutValue(args: readonly string[], options: OptionTable): TriphaseError | undefined {
  for (const [i, arg] of args.entries()) {
    const name = arg.replace(/^--/, '');
    if (arg === '--') return undefined;
    if (arg === name || options[name]?.type !== 'string') continue;
    const next = args[i + 1];
    if (next === undefined)
      return new TriphaseError('usage', `${arg} needs a value.`, `Write it behind: ${arg} VALUE.`);
    if (next.length > 1 && next.startsWith('-'))
      return new TriphaseError(
        'usage',
        `${arg} needs a value, and '${next}' looks like an option.`,
        `Where it is the value, write ${arg}=${next}.`,
      );
  }
  return undefined;
}

function firstSentence(error: unknown): string {
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return message.replace(/\.?$/, '.');
}
