// Every question of protocol/query.ts with its answer. A folder that is asked about is kept open, and read in its newest
// state at each question.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TriphaseError } from '../../protocol/errors';
import type {
  QuestionName,
  Questions,
  RolloutDetail,
  RolloutRef,
  RolloutRow,
  RolloutsParams,
  RunSummary,
  SearchHits,
  Selection,
} from '../../protocol/query';
import { indexFolder } from '../../run/segments';
import { type Condition, columnNamed, textColumns } from '../filter/check';
import { noCurves } from '../folder/curves';
import { openRecording } from '../folder/open';
import { GrowingHints } from '../growing-hints';
import { segmentSum } from '../segment-sum';
import { Shelf, type Shelved } from '../shelf';
import type { FoundRow, Page, Selected, Table } from '../table/table';
import { columnsOf } from './columns';
import { configDifference } from './config-difference';
import { exportedHead, exportedRow } from './exported';
import { imageBytes } from './image';
import { packTokens } from './pack-tokens';
import { questionIn } from './question';
import { RunConfig } from './run-config';
import { conditionOf } from './selection';

export interface Asking {
  readonly signal: AbortSignal;
  /** Of a search that goes on. */
  readonly onHits?: (hits: SearchHits) => void;
}

export type Answers = {
  readonly [N in QuestionName]: (params: Questions[N]['params'], asking: Asking) => Promise<Questions[N]['result']>;
};

/** Opens a reader of segments; `folders` are all that it reads. */
export interface Reader {
  readonly open: (folders: readonly string[]) => Promise<Table>;
  /** Said beside every summary. */
  readonly notes: readonly string[];
}

interface Opened {
  readonly shelf: Shelf;
  readonly config: RunConfig;
  readonly hints: GrowingHints;
  readonly table: Promise<Table>;
  readonly close: () => Promise<void>;
}

/** Characters of a completion that a list shows. */
const beginning = 400;
const mostFolders = 4;
const exportPage = 500;
const mostExportedCharacters = 64 * 2 ** 20;

export function openAnswers(reader: Reader): { readonly answers: Answers; readonly close: () => Promise<void> } {
  const temporary = mkdtempSync(path.join(tmpdir(), 'triphase-query-'));
  const opened = new Map<string, Promise<Opened>>();

  const openFolder = async (folder: string, privateFolder: string): Promise<Opened> => {
    const recording = await openRecording(folder);
    const table = reader.open([privateFolder, indexFolder(recording.folder)]);
    return {
      shelf: new Shelf(recording, privateFolder),
      config: new RunConfig(recording.folder, privateFolder),
      hints: new GrowingHints(recording),
      table,
      close: async () => {
        await (await table).close();
        rmSync(privateFolder, { recursive: true, force: true });
      },
    };
  };
  let made = 0;
  const at = (folder: string): Promise<Opened> => {
    const key = path.resolve(folder);
    const before = opened.get(key);
    opened.delete(key);
    const now = before ?? openFolder(key, path.join(temporary, String(made++)));
    opened.set(key, now);
    if (before === undefined) {
      // one that could not be opened may be there at the next question
      now.catch(() => opened.delete(key));
      for (const [old, least] of [...opened].slice(0, -mostFolders)) {
        opened.delete(old);
        least.then(({ close }) => close()).catch(() => undefined);
      }
    }
    return now;
  };

  /** The newest state of a folder, and what is asked of it. */
  const select = async (
    { folder, ...selection }: Selection & { readonly folder: string },
    { signal }: Asking,
  ): Promise<{ readonly selected: Selected; readonly table: Table; readonly shelved: Shelved }> => {
    const { shelf, table } = await at(folder);
    const shelved = await shelf.newest();
    signal.throwIfAborted();
    const where = conditionOf(selection, columnsOf(shelved));
    return { selected: { shelved, where, signal }, table: await table, shelved };
  };

  const summary = async (folder: string): Promise<RunSummary> => {
    const { shelf } = await at(folder);
    const { recording } = shelf;
    const [shelved, { notes, ...about }] = await Promise.all([shelf.newest(), recording.about()]);
    return {
      folder: recording.folder,
      recordedBy: recording.recordedBy,
      ...about,
      rules: shelved.rules,
      columns: columnsOf(shelved),
      rollouts: shelved.rollouts,
      ...(shelved.steps === undefined ? {} : { steps: shelved.steps }),
      unreadable: shelved.unreadable,
      notes: [...notes, ...reader.notes],
    };
  };

  /** Where a segment was merged by the run's host while it was asked of, the question is asked of the newest state. */
  const again =
    <P extends { readonly folder: string }, R>(answer: (params: P, asking: Asking) => Promise<R>) =>
    async (params: P, asking: Asking): Promise<R> => {
      for (let left = 2; ; left--) {
        const { shelf } = await at(params.folder);
        const before = shelf.current;
        try {
          return await answer(params, asking);
        } catch (error) {
          if (asking.signal.aborted || left === 0 || !shelf.hasChanged(before)) throw error;
        }
      }
    };

  const answers: Answers = {
    summary: ({ folder }) => summary(folder),

    rollouts: async (params, asking) => {
      const { selected, table, shelved } = await select(params, asking);
      const columns = columnsOf(shelved);
      for (const name of params.columns) columnNamed(name, columns);
      if (params.sort !== undefined) narrowColumn(params.sort.column, shelved);
      const page: Page = {
        columns: params.columns,
        ...(params.sort === undefined ? {} : { sort: params.sort }),
        byGroup: params.byGroup === true,
        offset: params.offset,
        limit: Math.min(500, params.limit),
      };
      const onScanned = firstHits(params, table, selected, page, asking);
      const found = await table.page(onScanned === undefined ? selected : { ...selected, onScanned }, page, beginning);
      return { rows: found.rows.map(listed), total: found.total, groups: found.groups };
    },

    rollout: async ({ folder, ref }, asking) => {
      const { selected, table, shelved } = await select({ folder }, asking);
      return detail(await at(folder), shelved, selected, table, ref);
    },

    alternatives: async ({ folder, ref, from, to }, asking) => {
      const { shelved } = await select({ folder }, asking);
      const { config, shelf } = await at(folder);
      const file = fileOf(shelved, ref.step);
      const all = file === undefined ? null : await shelf.recording.alternatives(file, ref.group, ref.sample);
      return all === null ? null : config.withTexts(all.slice(from, Math.min(to, from + mostAlternatives)));
    },

    histogram: async ({ column, bins, ...params }, asking) => {
      const { selected, table, shelved } = await select(params, asking);
      if (narrowColumn(column, shelved).type !== 'number')
        throw new TriphaseError('usage', `${column} holds no numbers.`, 'Ask for its values instead.');
      return table.histogram(selected, column, bins);
    },

    values: async ({ column, limit, ...params }, asking) => {
      const { selected, table, shelved } = await select(params, asking);
      if (narrowColumn(column, shelved).type === 'number')
        throw new TriphaseError('usage', `${column} holds numbers.`, 'Ask for its histogram instead.');
      return table.values(selected, column, limit);
    },

    occurrences: async ({ folder, source, example }, asking) => {
      const { selected, table } = await select({ folder }, asking);
      const where: Condition = { kind: 'and', left: equal('source', source), right: equal('example', example) };
      const columns = ['phase', 'reward', 'outcome'];
      const page: Page = { columns, byGroup: false, offset: 0, limit: 10_000 };
      const { rows } = await table.page({ ...selected, where }, page, 0);
      return rows.map(({ ref, cells }) => ({
        ...ref,
        phase: textOf(cells['phase']),
        reward: numberOf(cells['reward']),
        outcome: outcomeOf(cells['outcome']),
      }));
    },

    curves: async ({ folder }) => {
      const { recording } = (await at(folder)).shelf;
      return (await recording.curves()) ?? noCurves(folder);
    },

    configDifference: async ({ folders }) => configDifference(folders.map(folder => path.resolve(folder))),

    hints: async ({ folder }, { signal }) => {
      const { shelf, hints } = await at(folder);
      if (shelf.recording.recordedBy === 'verl') return [];
      return (await hints.newest(signal)).map(({ evidence, ...hint }) => ({
        ...hint,
        evidence: evidence.map(({ step, group = 0, sample = 0 }) => ({ step, group, sample })),
      }));
    },

    image: async image => imageBytes(image),

    export: async ({ format, ...params }, asking) => {
      const { selected, table, shelved } = await select(params, asking);
      const columns = shelved.columns.map(({ name }) => name);
      const parts: string[] = [exportedHead(format, columns)];
      let [rows, characters, more] = [0, 0, false];
      for (let offset = 0; !more; offset += exportPage) {
        const page: Page = { columns, byGroup: false, offset, limit: exportPage };
        const found = await table.page(selected, page, undefined);
        for (const row of found.rows) {
          const text = exportedRow(format, columns, row);
          more = characters + text.length > mostExportedCharacters;
          if (more) break;
          parts.push(text);
          characters += text.length;
          rows += 1;
        }
        if (found.rows.length < exportPage) break;
      }
      return { text: parts.join(''), rows, more };
    },
  };
  return {
    answers: {
      ...answers,
      rollouts: again(answers.rollouts),
      rollout: again(answers.rollout),
      histogram: again(answers.histogram),
      values: again(answers.values),
      occurrences: again(answers.occurrences),
      export: again(answers.export),
    },
    close: async () => {
      const all = await Promise.allSettled(opened.values());
      for (const one of all) if (one.status === 'fulfilled') await one.value.close();
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** Tokens whose alternatives are told at once. */
const mostAlternatives = 2048;

const hitsEveryMs = 150;

/** While texts are looked through, the rows that are found so far; undefined where nobody wants them. */
function firstHits(
  { folder, search = '', limit }: RolloutsParams,
  table: Table,
  { shelved, where, signal }: Selected,
  page: Page,
  { onHits }: Asking,
): Selected['onScanned'] {
  if (onHits === undefined || search.trim() === '') return undefined;
  let rows: readonly RolloutRow[] = [];
  let told = Number.NEGATIVE_INFINITY;
  return async (segments, done) => {
    const full = rows.length >= limit;
    const now = performance.now();
    if (!done && rows.length > 0 && now - told < hitsEveryMs) return;
    if (!full) {
      const scanned = { ...shelved, segments, version: `${shelved.version}/${segments.length}` };
      const { sort: _sort, ...inOrder } = page;
      const found = await table.page({ shelved: scanned, where, signal }, { ...inOrder, offset: 0 }, beginning);
      rows = found.rows.map(listed);
    }
    if (rows.length === 0 && !done && now - told < hitsEveryMs) return;
    told = now;
    const scannedRollouts = segments.reduce((sum, segment) => sum + segment.rows, 0);
    onHits({ folder, search, rows, scannedRollouts, done });
  };
}

const listed = ({ ref, cells, texts }: FoundRow): RolloutRow => ({
  ref,
  cells: shortened(cells),
  question: texts.question ?? (texts.prompt === null ? null : questionIn(texts.prompt)),
  completion: texts.completion,
  cut: texts.cut,
  images: texts.images,
});

/** A cell of a list shows no more than the beginning of a text. */
const shortened = (cells: FoundRow['cells']): FoundRow['cells'] =>
  Object.fromEntries(
    Object.entries(cells).map(([name, cell]) => [name, typeof cell === 'string' ? cell.slice(0, beginning) : cell]),
  );

function narrowColumn(name: string, shelved: Shelved) {
  const column = columnNamed(name, columnsOf(shelved));
  if ((textColumns as readonly string[]).includes(name))
    throw new TriphaseError('usage', `The run cannot be sorted or counted by ${name}.`, 'Take `characters` instead.');
  return column;
}

const equal = (name: string, value: string | number): Condition => ({
  kind: 'compare',
  op: '==',
  left: { kind: 'column', name, type: typeof value === 'string' ? 'text' : 'number' },
  right: { kind: 'constant', value },
});

async function detail(
  { shelf: { recording }, config }: Opened,
  shelved: Shelved,
  selected: Selected,
  table: Table,
  ref: RolloutRef,
): Promise<RolloutDetail> {
  const { step, group, sample } = ref;
  const where: Condition = { kind: 'and', left: equal('step', step), right: equal('group', group) };
  const columns = shelved.columns.map(({ name }) => name);
  const page: Page = { columns, byGroup: false, offset: 0, limit: 10_000 };
  // in a thread of its own, while the table is looked through
  const file = fileOf(shelved, step);
  const tokensAsked = file === undefined ? undefined : recording.tokens(file, group, sample);
  tokensAsked?.catch(() => undefined);
  const { rows } = await table.page({ ...selected, where }, page, undefined);
  const row = rows.find(one => one.ref.sample === sample);
  if (row === undefined)
    throw new TriphaseError(
      'usage',
      `There is no rollout ${sample} of group ${group} at step ${step}.`,
      'The step may have been done again since.',
      { file: recording.folder },
    );
  const { cells, texts } = row;
  const [tokens = null, explained] = await Promise.all([tokensAsked, config.explained(rows, row)]);
  return {
    ref,
    cells,
    question: texts.question ?? (texts.prompt === null ? null : questionIn(texts.prompt)),
    prompt: texts.prompt,
    caption: texts.caption,
    completion: texts.completion,
    gold: textOf(cells['gold']),
    answer: textOf(cells['answer']),
    outcome: outcomeOf(cells['outcome']),
    images: texts.images,
    scores: Object.fromEntries(shelved.rules.map(rule => [rule, numberOf(cells[rule])])),
    tokens: tokens && packTokens(tokens),
    siblings: rows.map(other => ({
      ref: other.ref,
      reward: numberOf(other.cells['reward']),
      advantage: numberOf(other.cells['advantage']),
    })),
    ...explained,
  };
}

function fileOf({ segments }: Shelved, step: number): string | undefined {
  for (const segment of segments) {
    const [first, last] = segmentSum(segment).steps;
    if (step < first || step > last) continue;
    for (const one of segment.files) if (one.step === step) return one.file;
  }
  return undefined;
}

const textOf = (cell: unknown): string | null => (typeof cell === 'string' ? cell : null);
const numberOf = (cell: unknown): number | null => (typeof cell === 'number' ? cell : null);
const outcomeOf = (cell: unknown): RolloutDetail['outcome'] =>
  cell === 'right' || cell === 'wrong' || cell === 'ungradable' ? cell : null;
