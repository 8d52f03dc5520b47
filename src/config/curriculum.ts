// Reads a curriculum file: YAML, then `--set`, then the schema, then what only the whole file shows. All that is wrong is
// reported at once, each with its place.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, parse, parseDocument } from 'yaml';
import { type Place, TriphaseError } from '../protocol/errors';
import { checkCurriculum, checkFiles } from './checks';
import { CurriculumError, type Diagnostic, type SchemaProblem, schemaProblems } from './diagnostics';
import { applyOverrides, isMapping, type Override, overrideOf } from './overrides';
import { type KeyPath, YamlPlaces } from './places';
import { resolveCurriculum } from './resolved';
import { type Curriculum, curriculumSchema } from './schema';

export interface LoadedCurriculum {
  readonly config: Curriculum;
  /** Where a setting stands: the file, or the `--set` that wrote it. */
  readonly place: (path: KeyPath) => Place;
}

export interface ReadOptions {
  /** Whether files that the curriculum names must be there; a resumed run no longer needs all of them. */
  readonly files?: 'required' | 'unchecked';
}

/** Throws a CurriculumError that names everything that is wrong. */
export function loadCurriculum(
  file: string,
  sets: readonly string[] = [],
  options: ReadOptions = {},
): LoadedCurriculum {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code})`;
    throw new TriphaseError('config', what, 'Name a curriculum file, such as curriculum.yaml.');
  }
  const read = readCurriculum(text, file, sets, options);
  if ('loaded' in read) return read.loaded;
  throw new CurriculumError(read.diagnostics);
}

export type ReadCurriculum =
  | { readonly loaded: LoadedCurriculum }
  | { readonly diagnostics: readonly [Diagnostic, ...Diagnostic[]] };

/** The same from text, for an editor: what is wrong is a value here. */
export function readCurriculum(
  text: string,
  file: string,
  sets: readonly string[] = [],
  options: ReadOptions = {},
): ReadCurriculum {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const places = new YamlPlaces(file, document, lines);
  const syntax = document.errors.map(error => ({
    message: error.message,
    remedy: 'The file is YAML; see https://yaml.org.',
    place: places.offset(error.pos[0]),
  }));
  if (isSome(syntax)) return { diagnostics: syntax };

  let root: unknown;
  try {
    root = document.toJS();
  } catch (error) {
    return {
      diagnostics: [{ message: error instanceof Error ? error.message : String(error), place: places.value([]) }],
    };
  }
  if (!isMapping(root)) {
    const message = root === null || root === undefined ? 'the file is empty' : 'the file is not a mapping of settings';
    return {
      diagnostics: [{ message, remedy: 'A curriculum has at least model, data and phases.', place: places.value([]) }],
    };
  }

  const shared = readSharedRewards(root, path.dirname(path.resolve(file)));
  if (shared !== undefined) return { diagnostics: [{ ...shared, place: places.value(['rewards', 'file']) }] };

  const { overrides, diagnostics: refused } = applyOverrides(root, sets);
  // a path on the command line begins where the command was given, as a shell completes it
  const folder = path.dirname(path.resolve(file));
  const folderOf = (at: KeyPath) => (overrideOf(overrides, at) === undefined ? folder : process.cwd());
  const problems = [
    ...schemaProblems(curriculumSchema, root),
    ...checkCurriculum(root),
    ...(options.files === 'unchecked' ? [] : checkFiles(root, folderOf)),
  ];
  const diagnostics = [...problems.map(problem => placed(problem, places, overrides)).toSorted(byPlace), ...refused];
  if (isSome(diagnostics)) return { diagnostics };

  const config = resolveCurriculum(curriculumSchema.parse(root), file, folderOf);
  const place = (at: KeyPath) => overrideOf(overrides, at)?.place ?? places.value(at);
  return { loaded: { config, place } };
}

/** `rewards: {file: …}`: rules that several configs name; what stands beside it comes over it. */
function readSharedRewards(
  root: Record<string, unknown>,
  folder: string,
): { readonly message: string; readonly remedy: string } | undefined {
  const { rewards } = root;
  if (!isMapping(rewards) || typeof rewards['file'] !== 'string') return undefined;
  const { file, ...own } = rewards as { readonly file: string } & Record<string, unknown>;
  const named = path.resolve(folder, file);
  const remedy = 'file is a YAML file with what may stand under rewards: format, accuracy, rules, combine.';
  let shared: unknown;
  try {
    shared = parse(readFileSync(named, 'utf8'), { merge: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { message: code === 'ENOENT' ? `there is no file ${named}` : `${named}: ${message}`, remedy };
  }
  if (!isMapping(shared)) return { message: `${named} is no mapping`, remedy };
  const rules = {
    ...scriptsBeside(shared['rules'], path.dirname(named)),
    ...(isMapping(own['rules']) ? own['rules'] : {}),
  };
  root['rewards'] = { ...shared, ...own, ...(Object.keys(rules).length > 0 ? { rules } : {}) };
  return undefined;
}

/** Scripts of a shared file stand beside that file. */
function scriptsBeside(rules: unknown, folder: string): Record<string, unknown> {
  if (!isMapping(rules)) return {};
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      name,
      isMapping(rule) && typeof rule['file'] === 'string'
        ? { ...rule, file: path.resolve(folder, rule['file']) }
        : rule,
    ]),
  );
}

function placed(
  { path: at, at: end, message, remedy, fix }: SchemaProblem,
  places: YamlPlaces,
  overrides: readonly Override[],
): Diagnostic {
  const place = overrideOf(overrides, at)?.place ?? (end === 'key' ? places.key(at) : places.value(at));
  return { message, ...(remedy === undefined ? {} : { remedy }), ...(fix === undefined ? {} : { fix }), place };
}

/** In the order of the file; what the command line says comes last. */
function byPlace({ place: a }: Diagnostic, { place: b }: Diagnostic): number {
  return (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0) || 0;
}

function isSome<T>(items: readonly T[]): items is readonly [T, ...T[]] {
  return items.length > 0;
}
