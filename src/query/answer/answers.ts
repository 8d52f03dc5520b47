// Every question of protocol/query.ts with its answer. A folder that is asked about is kept open, and read in its newest
// state at each question.

import path from 'node:path';
import { TriphaseError } from '../../protocol/errors';
import type {
  IndexingProgress,
  QuestionName,
  Questions,
  RunSummary,
  SearchHits,
  Selection,
} from '../../protocol/query';
import { type Condition, columnNamed, textColumns } from '../filter/check';
import type { Shelved } from '../shelf';
import type { Page, Reader, Selected, Table } from '../table/table';
import { equal, numberOf, outcomeOf, textOf } from './cells';
import { columnsOf } from './columns';
import { configDifference } from './config-difference';
import { detail, fileOf } from './detail';
import { exportedHead, exportedRow } from './exported';
import { imageBytes } from './image';
import { beginning, firstHits, listed } from './listed';
import { type Opened, OpenedFolders } from './opened-folders';
import { packTokens } from './pack-tokens';
import { curvesOfMeans, meansOf } from './rollout-curves';
import { conditionOf } from './selection';

export interface Asking {
  readonly signal: AbortSignal;
  /** Of a search that goes on. */
  readonly onHits?: (hits: SearchHits) => void;
  readonly onIndexing?: (progress: IndexingProgress) => void;
}

export type Answers = {
  readonly [N in QuestionName]: (params: Questions[N]['params'], asking: Asking) => Promise<Questions[N]['result']>;
};

const exportPage = 500;
const mostExportedCharacters = 64 * 2 ** 20;

export function openAnswers(reader: Reader): { readonly answers: Answers; readonly close: () => Promise<void> } {
  const folders = new OpenedFolders(reader);
  const at = (folder: string): Promise<Opened> => folders.at(folder);

  /** The newest state of a folder, and what is asked of it. */
  const select = async (
    { folder, ...selection }: Selection & { readonly folder: string },
    asking: Asking,
  ): Promise<{ readonly selected: Selected; readonly table: Table; readonly shelved: Shelved }> => {
    const { shelf, table } = await at(folder);
    const { signal } = asking;
    const shelved = await shelf.newest(asking);
    signal.throwIfAborted();
    const where = conditionOf(selection, columnsOf(shelved));
    return { selected: { shelved, where, signal }, table: await table, shelved };
  };

  const summary = async (folder: string, asking: Asking): Promise<RunSummary> => {
    const { shelf } = await at(folder);
    const { recording } = shelf;
    const [shelved, { notes, ...about }] = await Promise.all([shelf.newest(asking), recording.about()]);
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
    summary: ({ folder }, asking) => summary(folder, asking),

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
      const onScanned = firstHits(params, table, selected, page, asking.onHits);
      const found = await table.page(onScanned === undefined ? selected : { ...selected, onScanned }, page, beginning);
      return { rows: found.rows.map(listed), total: found.total, groups: found.groups };
    },

    rollout: async ({ folder, ref }, asking) => {
      const { selected, table, shelved } = await select({ folder }, asking);
      return detail(await at(folder), shelved, selected, table, ref);
    },

    tokens: async ({ folder, ref }, asking) => {
      const { shelved } = await select({ folder }, asking);
      const { recording } = (await at(folder)).shelf;
      const file = fileOf(shelved, ref.step);
      const tokens = file === undefined ? null : await recording.tokens(file, ref.group, ref.sample);
      return tokens && packTokens(tokens);
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

    curves: async ({ folder }, asking) => {
      const { recording } = (await at(folder)).shelf;
      const logged = await recording.curves();
      if (logged !== undefined) return logged;
      const { selected, table, shelved } = await select({ folder }, asking);
      const metrics = meansOf(shelved);
      return curvesOfMeans(folder, Object.keys(metrics), await table.means(selected, Object.values(metrics)));
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
      curves: again(answers.curves),
      tokens: again(answers.tokens),
      histogram: again(answers.histogram),
      values: again(answers.values),
      occurrences: again(answers.occurrences),
      export: again(answers.export),
    },
    close: () => folders.close(),
  };
}

/** Tokens whose alternatives are told at once. */
const mostAlternatives = 2048;

function narrowColumn(name: string, shelved: Shelved) {
  const column = columnNamed(name, columnsOf(shelved));
  if ((textColumns as readonly string[]).includes(name))
    throw new TriphaseError('usage', `The run cannot be sorted or counted by ${name}.`, 'Take `characters` instead.');
  return column;
}
