// Questions about a run folder of ours, answered from its files as they stand.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { TriphaseError } from '../../../src/protocol/errors';
import type {
  ConfigDifference,
  Curves,
  Histogram,
  ImageRef,
  Occurrence,
  QuestionName,
  Questions,
  RolloutDetail,
  RolloutRef,
  RolloutRow,
  RolloutsPage,
  RunSummary,
} from '../../../src/protocol/query';
import type { RolloutRecord, RunEvent, RunInfo } from '../../../src/protocol/run';
import { RunProgress } from '../../../src/protocol/run-progress';
import { grouped } from '../../../src/query/grouped';
import { currentEvents } from '../../../src/run/event-log';
import { currentRollouts, readRollouts } from '../../../src/run/rollouts';

const events = (folder: string): readonly RunEvent[] =>
  currentEvents(
    readFileSync(path.join(folder, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map(line => JSON.parse(line) as RunEvent),
  );

const stored = new Map<string, Promise<readonly RolloutRecord[]>>();

async function rollouts(folder: string): Promise<readonly RolloutRecord[]> {
  const files = currentRollouts(events(folder));
  const all = await Promise.all(
    files.map(name => {
      const key = path.join(folder, name);
      const known = stored.get(key) ?? readRollouts(folder, name);
      stored.set(key, known);
      return known;
    }),
  );
  return all.flat();
}

const narrow = [
  'step',
  'phase',
  'group',
  'sample',
  'source',
  'example',
  'view',
  'reward',
  'advantage',
  'outcome',
  'answer',
  'gold',
  'truncated',
  'prompt_tokens',
] as const;

const cellsOf = (record: RolloutRecord): RolloutRow['cells'] => ({
  ...Object.fromEntries(narrow.map(name => [name, record[name]])),
  completion_tokens: record.completion_ids.length,
  ...record.scores,
});

const questionOf = (prompt: string): string =>
  (
    /<\|im_start\|>user\n(?:<\|vision_start\|>.*?<\|vision_end\|>)?([\s\S]*?)<\|im_end\|>/.exec(prompt)?.[1] ?? prompt
  ).trim();

const refOf = ({ step, group, sample }: RolloutRecord): RolloutRef => ({ step, group, sample });

const rowOf = (record: RolloutRecord): RolloutRow => ({
  ref: refOf(record),
  cells: cellsOf(record),
  question: questionOf(record.prompt),
  completion: record.completion.slice(0, 2000),
  cut: record.completion.length > 2000,
  images: record.images.map(file => ({ file })),
});

function chosen(all: readonly RolloutRecord[], filter = '', search = ''): readonly RolloutRecord[] {
  const tests = filter
    .split(/ and /)
    .filter(part => part.trim() !== '')
    .map(part => {
      const match = /^\s*(\w+)\s*(==|>=|<=|<|>|!=)\s*(?:"([^"]*)"|([-\d.]+))\s*$/.exec(part);
      if (match === null)
        throw new TriphaseError('usage', `"${part.trim()}" is no condition.`, 'Write column, operator and value.', {
          file: 'filter',
          line: 1,
          column: filter.indexOf(part.trim()) + 1,
        });
      const [, column = '', operator = '==', text, number] = match;
      const value = text ?? Number(number);
      return (record: RolloutRecord): boolean => {
        const cell = cellsOf(record)[column] as number | string | null;
        if (cell === null || cell === undefined) return false;
        switch (operator) {
          case '==':
            return cell === value;
          case '!=':
            return cell !== value;
          case '<':
            return cell < value;
          case '>':
            return cell > value;
          case '<=':
            return cell <= value;
          default:
            return cell >= value;
        }
      };
    });
  return all.filter(
    record =>
      tests.every(test => test(record)) && (search === '' || `${record.prompt}${record.completion}`.includes(search)),
  );
}

type Answers = { readonly [N in QuestionName]: (params: Questions[N]['params']) => Promise<Questions[N]['result']> };

const answers: Answers = {
  summary: async ({ folder }): Promise<RunSummary> => {
    const info = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as RunInfo;
    const log = events(folder);
    const progress = new RunProgress();
    for (const event of log) progress.take(event);
    const all = await rollouts(folder);
    const rules = Object.keys(all[0]?.scores ?? {});
    const columns = all[0] === undefined ? {} : cellsOf(all[0]);
    return {
      folder,
      recordedBy: 'triphase',
      name: path.basename(folder),
      info,
      state: progress.state,
      columns: Object.entries(columns).map(([name, value]) => ({
        name,
        type: typeof value === 'boolean' ? 'boolean' : typeof value === 'string' ? 'text' : 'number',
        ...(rules.includes(name) ? { rule: true } : {}),
      })),
      rules,
      phases: progress.phases.map(({ phase }) => phase),
      rollouts: all.length,
      ...(all.length === 0 ? {} : { steps: [all[0]?.step as number, all.at(-1)?.step as number] as const }),
      unreadable: [],
      notes: [],
    };
  },
  curves: async ({ folder }): Promise<Curves> => {
    const log = events(folder);
    const steps = log.filter(event => event.kind === 'step');
    const names = [...new Set(steps.flatMap(step => Object.keys(step.metrics)))];
    const parts = [...new Set(steps.flatMap(step => Object.keys(step.timings)))];
    return {
      folder,
      steps: steps.map(({ step }) => step),
      phase: steps.map(({ phase }) => phase),
      metrics: Object.fromEntries([
        ...names.map(name => [name, steps.map(({ metrics }) => metrics[name] ?? null)] as const),
        ...parts.map(part => [`timings/${part}`, steps.map(({ timings }) => timings[part] ?? null)] as const),
      ]),
      evaluations: log.filter(event => event.kind === 'evaluation'),
      boundaries: [],
      untaught: [],
      warnings: [],
      checkpoints: [],
      lastEvent: log.at(-1)?.n ?? 0,
    };
  },
  rollouts: async ({ folder, filter, search, sort, byGroup, offset, limit }): Promise<RolloutsPage> => {
    const all = [...chosen(await rollouts(folder), filter, search)];
    if (sort !== undefined) {
      const sign = sort.descending ? -1 : 1;
      const key = (record: RolloutRecord) => cellsOf(record)[sort.column] ?? Number.NEGATIVE_INFINITY;
      all.sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0));
    }
    const groups = grouped(all, ({ step, group }) => `${step} ${group}`);
    const rows = byGroup
      ? [...groups.values()]
          .slice(offset, offset + limit)
          .flat()
          .map(rowOf)
      : all.slice(offset, offset + limit).map(rowOf);
    return { rows, total: all.length, groups: groups.size };
  },
  rollout: async ({ folder, ref }): Promise<RolloutDetail> => {
    const all = await rollouts(folder);
    const group = all.filter(({ step, group }) => step === ref.step && group === ref.group);
    const record = group.find(({ sample }) => sample === ref.sample);
    if (record === undefined) throw new TriphaseError('run-folder', 'There is no such rollout.');
    return {
      ref,
      cells: cellsOf(record),
      question: questionOf(record.prompt),
      prompt: record.prompt,
      caption: null,
      completion: record.completion,
      gold: record.gold,
      answer: record.answer,
      outcome: record.outcome,
      images: record.images.map(file => ({ file })),
      scores: record.scores,
      tokens: null,
      siblings: group.map(one => ({ ref: refOf(one), reward: one.reward, advantage: one.advantage })),
    };
  },
  histogram: async ({ folder, filter, search, column, bins }): Promise<Histogram> => {
    const cells = chosen(await rollouts(folder), filter, search).map(record => cellsOf(record)[column]);
    const values = cells.filter(cell => typeof cell === 'number');
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const width = (high - low || 1) / bins;
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.floor((value - low) / width));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return {
      column,
      edges: Array.from({ length: bins + 1 }, (_, i) => low + i * width),
      counts,
      notRecorded: cells.length - values.length,
    };
  },
  values: async ({ folder, column, limit, ...selection }) => {
    const cells = chosen(await rollouts(folder), selection.filter).map(record => String(cellsOf(record)[column]));
    const counts = [...grouped(cells, cell => cell)].map(([value, list]) => ({ value, count: list.length }));
    return { values: counts.toSorted((a, b) => b.count - a.count).slice(0, limit), more: counts.length > limit };
  },
  occurrences: async ({ folder, source, example }): Promise<readonly Occurrence[]> =>
    (await rollouts(folder))
      .filter(record => record.source === source && record.example === example)
      .map(({ phase, reward, outcome, ...record }) => ({
        ...refOf(record as RolloutRecord),
        phase,
        reward,
        outcome,
      })),
  configDifference: async ({ folders }): Promise<readonly ConfigDifference[]> => {
    const flat = (value: unknown, at: string): readonly (readonly [string, string])[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => flat(inner, at === '' ? key : `${at}.${key}`))
        : [[at, JSON.stringify(value)]];
    const configs = folders.map(
      folder => new Map(flat(parse(readFileSync(path.join(folder, 'config.resolved.yaml'), 'utf8')), '')),
    );
    const paths = [...new Set(configs.flatMap(config => [...config.keys()]))];
    return paths
      .map(one => ({ path: one, values: configs.map(config => config.get(one) ?? null) }))
      .filter(({ values }) => values.some(value => value !== values[0]));
  },
  hints: async () => [],
  image: async ({ file }: ImageRef) => ({ mime: 'image/png', base64: readFileSync(file).toString('base64') }),
  export: async ({ folder, format, ...selection }) => {
    const all = chosen(await rollouts(folder), selection.filter, selection.search);
    const text = format === 'jsonl' ? all.map(record => JSON.stringify(record)).join('\n') : 'step\n';
    return { text, rows: all.length, more: false };
  },
};

export const answerRecorded = (name: QuestionName, params: unknown): Promise<unknown> =>
  (answers[name] as (params: unknown) => Promise<unknown>)(params);
