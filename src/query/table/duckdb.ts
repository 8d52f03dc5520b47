// Segments asked by DuckDB: a database in memory for each folder, which may read the folders of its segments and nothing
// else, and may load nothing.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Cell, Histogram, ImageRef, ValueCounts } from '../../protocol/query';
import { idsPerSegment, type Segment } from '../../run/segments';
import { type Condition, type Leaf, looksAtTexts, textLeaves } from '../filter/check';
import type { Literal } from '../filter/expression';
import { conditionSql, type Dialect, macrosSql, quotedName, type Sql } from '../filter/sql';
import { segmentSum } from '../segment-sum';
import { bins as binned } from './bins';
import { cutText } from './cut-text';
import type { Found, FoundRow, Page, Selected, StepMeans, Table, TextsOfRow } from './table';

export interface DuckDbLimits {
  readonly memoryMiB: number;
  readonly threads: number;
}

/** `folders`: what it may read, and no more ever after. */
export async function openDuckDbTable(folders: readonly string[], limits: DuckDbLimits): Promise<Table> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryMiB}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run('set parquet_metadata_cache = true');
  await connection.run(macrosSql);
  await connection.run(`set allowed_directories = [${folders.map(quoted).join()}]`);
  await connection.run('set enable_external_access = false');
  await connection.run('set lock_configuration = true');
  connection.closeSync();
  return new DuckDbTable(instance);
}

type Row = Readonly<Record<string, unknown>>;

/** Texts that were looked for, and the rollouts they were found in. */
interface Hits {
  readonly table: string;
  readonly scanned: Map<string, Promise<void>>;
}

const mostHits = 12;
/** So much of a segment is looked through at first. */
const beginningRows = 8192;
const mostCounts = 64;

class DuckDbTable implements Table {
  private readonly hits = new Map<string, Hits>();
  private readonly counts = new Map<string, { readonly total: number; readonly groups: number }>();
  private made = 0;

  constructor(private readonly instance: DuckDBInstance) {}

  async close(): Promise<void> {
    this.instance.closeSync();
  }

  page(selected: Selected, page: Page, characters: number | undefined): Promise<Found> {
    return this.connected(selected, async ask => {
      if (selected.shelved.segments.length === 0) return { rows: [], total: 0, groups: 0 };
      const where = await this.prepared(selected, ask);
      const rows = page.byGroup
        ? await this.groupRows(selected, page, where, ask)
        : await this.rows(selected, page, where, ask);
      const { total, groups } = await this.count(selected, where, ask);
      const texts = await this.texts(
        selected.shelved.segments,
        rows.map(row => Number(row['__id'])),
        characters,
        ask,
      );
      return { rows: rows.map(row => foundRow(row, page.columns, texts)), total, groups };
    });
  }

  histogram(selected: Selected, column: string, bins: number): Promise<Histogram> {
    return this.connected(selected, async ask => {
      if (selected.shelved.segments.length === 0) return binned(column, undefined, 0);
      const where = await this.prepared(selected, ask);
      const from = `from ${narrow(selected.shelved.segments)} where ${where.text}`;
      const value = dialectOf(selected).column(column, 'number');
      const [range] = await ask(
        `select min(${value}) as low, max(${value}) as high, count(*) as rows, count(${value}) as known ${from}`,
        where.values,
      );
      const missing = Number(range?.['rows']) - Number(range?.['known']);
      if (Number(range?.['known'] ?? 0) === 0) return binned(column, undefined, missing);
      const [low, high] = [Number(range?.['low']), Number(range?.['high'])];
      const parameters = [...where.values, low, high, bins];
      const n = where.values.length;
      const counted = await ask(
        `select least($${n + 3}::double - 1, floor((${value} - $${n + 1}::double) * $${n + 3}::double / ($${n + 2}::double - $${n + 1}::double))) as bin, count(*) as count ${from} and ${value} is not null group by 1`,
        low === high ? [...where.values, low, low + 1, bins] : parameters,
      );
      const counts = counted.map(row => [Number(row['bin']), Number(row['count'])] as const);
      return binned(column, { low, high, bins, counts }, missing);
    });
  }

  values(selected: Selected, column: string, limit: number): Promise<ValueCounts> {
    return this.connected(selected, async ask => {
      const type = selected.shelved.columns.find(({ name }) => name === column)?.type;
      if (type === undefined) return { values: [], more: false };
      const where = await this.prepared(selected, ask);
      const value = dialectOf(selected).column(column, type);
      const rows = await ask(
        `select ${value} as value, count(*) as count from ${narrow(selected.shelved.segments)} where ${where.text} and ${value} is not null group by 1 order by 2 desc, 1 limit ${limit + 1}`,
        where.values,
      );
      const values = rows.slice(0, limit).map(row => ({ value: String(row['value']), count: Number(row['count']) }));
      return { values, more: rows.length > limit };
    });
  }

  means(selected: Selected, columns: readonly string[]): Promise<readonly StepMeans[]> {
    return this.connected(selected, async ask => {
      if (selected.shelved.segments.length === 0) return [];
      const where = await this.prepared(selected, ask);
      const { column } = dialectOf(selected);
      const means = columns.map((name, i) => `, avg(${column(name, 'number')}) as mean${i}`).join('');
      const rows = await ask(
        `select ${column('step', 'number')} as step${means} from ${narrow(selected.shelved.segments)} where ${where.text} group by 1 order by 1`,
        where.values,
      );
      return rows.map(row => ({
        step: Number(row['step']),
        means: columns.map((_, i) => (typeof row[`mean${i}`] === 'number' ? (row[`mean${i}`] as number) : null)),
      }));
    });
  }

  /** A connection for one question; the question's end by cancelling interrupts it and no other. */
  private async connected<T>({ signal }: Selected, answer: (ask: Ask) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const connection = await this.instance.connect();
    const interrupt = () => connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      return await answer((sql, values = []) => run(connection, sql, values));
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  }

  /** Looks through the texts where the condition does, and gives its SQL over the narrow columns. */
  private async prepared(selected: Selected, ask: Ask): Promise<Sql> {
    const leaves = textLeaves(selected.where);
    const { segments } = selected.shelved;
    if (leaves.length > 0) {
      const [first] = segments;
      // hits are wanted soon: the beginning comes by itself, where hits are only ever added by looking further
      if (first !== undefined && selected.onScanned !== undefined && !negates(selected.where)) {
        for (const leaf of leaves) await this.scan(leaf, { segment: first, beginning: true }, selected.signal, ask);
        await selected.onScanned([{ ...first, rows: Math.min(first.rows, beginningRows) }], false);
      }
      for (const [i, segment] of segments.entries()) {
        for (const leaf of leaves) {
          await this.scan(leaf, { segment, beginning: true }, selected.signal, ask);
          await this.scan(leaf, { segment, beginning: false }, selected.signal, ask);
        }
        await selected.onScanned?.(segments.slice(0, i + 1), i + 1 === segments.length);
      }
    }
    return conditionSql(
      selected.where,
      dialectOf(selected, leaf => this.hitsOf(leaf).table),
    );
  }

  private hitsOf(leaf: Leaf): Hits {
    const key = JSON.stringify(leaf);
    let hits = this.hits.get(key);
    if (hits === undefined) {
      hits = { table: `hits_${this.made++}`, scanned: new Map() };
    } else {
      this.hits.delete(key);
    }
    // the last one used is the last in the map
    this.hits.set(key, hits);
    return hits;
  }

  private async scan(
    leaf: Leaf,
    { segment, beginning }: { readonly segment: Segment; readonly beginning: boolean },
    signal: AbortSignal,
    ask: Ask,
  ): Promise<void> {
    if (!beginning && segment.rows <= beginningRows) return;
    const { table, scanned } = this.hitsOf(leaf);
    const part = `${segment.number}${beginning ? ' beginning' : ''}`;
    const bound = segment.number * idsPerSegment + beginningRows;
    for (;;) {
      const running = scanned.get(part);
      if (running === undefined) break;
      try {
        return await running;
      } catch (error) {
        // another question began it and was cancelled
        signal.throwIfAborted();
        if (scanned.get(part) === running) throw error;
      }
    }
    const work = (async () => {
      if (scanned.size === 0) await this.makeRoom(ask);
      await ask(`create table if not exists ${table} (id bigint)`);
      const { text, values } = conditionSql(leaf, textDialect);
      await ask(
        `insert into ${table} select __id from ${texts([segment])} where __id ${beginning ? '<' : '>='} ${bound} and ${text}`,
        values,
      );
    })();
    scanned.set(part, work);
    await work.catch(error => {
      scanned.delete(part);
      throw error;
    });
  }

  private async makeRoom(ask: Ask): Promise<void> {
    for (const [key, { table }] of [...this.hits].slice(0, -mostHits)) {
      this.hits.delete(key);
      await ask(`drop table if exists ${table}`);
    }
  }

  private async rows(selected: Selected, page: Page, where: Sql, ask: Ask): Promise<readonly Row[]> {
    const inOrder = page.sort === undefined && selected.where.kind === 'always';
    const { segments, skipped } = inOrder
      ? inWindow(selected.shelved.segments, segment => segment.rows, page)
      : { segments: selected.shelved.segments, skipped: 0 };
    if (segments.length === 0) return [];
    const dialect = dialectOf(selected, undefined, segments);
    const order = page.sort === undefined ? '' : `${sortColumn(selected, page)} ${direction(page)} nulls last, `;
    return ask(
      `select __id, step, "group", sample${cells(page.columns, selected, dialect)} from ${narrow(segments)} where ${where.text} order by ${order}step, "group", sample limit ${page.limit} offset ${page.offset - skipped}`,
      where.values,
    );
  }

  private async groupRows(selected: Selected, page: Page, where: Sql, ask: Ask): Promise<readonly Row[]> {
    const inOrder = page.sort === undefined && selected.where.kind === 'always';
    const { segments, skipped } = inOrder
      ? inWindow(selected.shelved.segments, groupsOf, page)
      : { segments: selected.shelved.segments, skipped: 0 };
    if (segments.length === 0) return [];
    const dialect = dialectOf(selected, undefined, segments);
    const from = narrow(segments);
    const best =
      page.sort === undefined ? 'null' : `${page.sort.descending ? 'max' : 'min'}(${sortColumn(selected, page)})`;
    const groups = await ask(
      `select step, "group", ${best} as best from ${from} where ${where.text} group by step, "group" order by best ${direction(page)} nulls last, step, "group" limit ${page.limit} offset ${page.offset - skipped}`,
      where.values,
    );
    if (groups.length === 0) return [];
    const places = new Map(groups.map((row, i) => [`${row['step']} ${row['group']}`, i]));
    const members = groups.map(row => `(step = ${Number(row['step'])} and "group" = ${Number(row['group'])})`);
    const rows = await ask(
      `select __id, step, "group", sample${cells(page.columns, selected, dialect)} from ${from} where ${members.join(' or ')} order by sample`,
    );
    return rows.toSorted(
      (a, b) => places.get(`${a['step']} ${a['group']}`)! - places.get(`${b['step']} ${b['group']}`)!,
    );
  }

  private async count(
    selected: Selected,
    where: Sql,
    ask: Ask,
  ): Promise<{ readonly total: number; readonly groups: number }> {
    const { shelved } = selected;
    if (selected.where.kind === 'always') return { total: shelved.rollouts, groups: shelved.groups };
    const key = `${shelved.version} ${JSON.stringify(selected.where)}`;
    const known = this.counts.get(key);
    if (known !== undefined) return known;
    const [row] = await ask(
      `select count(*) as total, count(distinct step * 1048576 + "group") as groups from ${narrow(shelved.segments)} where ${where.text}`,
      where.values,
    );
    const counted = { total: Number(row?.['total']), groups: Number(row?.['groups']) };
    this.counts.set(key, counted);
    for (const old of [...this.counts.keys()].slice(0, -mostCounts)) this.counts.delete(old);
    return counted;
  }

  private async texts(
    segments: readonly Segment[],
    ids: readonly number[],
    characters: number | undefined,
    ask: Ask,
  ): Promise<ReadonlyMap<number, TextsOfRow>> {
    if (ids.length === 0) return new Map();
    const numbers = new Set(ids.map(id => Math.floor(id / idsPerSegment)));
    const cut = (name: string) => (characters === undefined ? name : `left(${name}, ${characters + 1}) as ${name}`);
    const rows = await ask(
      `select __id, __images, prompt, question, caption, ${cut('completion')} from ${texts(segments.filter(({ number }) => numbers.has(number)))} where ${ids.map(id => `__id = ${id}`).join(' or ')}`,
    );
    return new Map(rows.map(row => [Number(row['__id']), textsOf(row, characters)]));
  }
}

/** The segments that hold a page of all rollouts in the order of the run, and how much comes before them. */
function inWindow(
  segments: readonly Segment[],
  sizeOf: (segment: Segment) => number,
  { offset, limit }: Page,
): { readonly segments: readonly Segment[]; readonly skipped: number } {
  const ranges = segments.map(segment => segmentSum(segment).steps);
  const follows = ranges.every((steps, i) => i === 0 || ranges[i - 1]![1] < steps[0]);
  if (!follows) return { segments, skipped: 0 };
  const wanted: Segment[] = [];
  let [before, skipped] = [0, 0];
  for (const segment of segments) {
    const after = before + sizeOf(segment);
    if (after <= offset) skipped = after;
    else if (before < offset + limit) wanted.push(segment);
    before = after;
  }
  return { segments: wanted, skipped };
}

const groupsOf = (segment: Segment): number => segmentSum(segment).groups;

function negates(condition: Condition): boolean {
  if (condition.kind === 'not') return true;
  return condition.kind === 'and' || condition.kind === 'or'
    ? negates(condition.left) || negates(condition.right)
    : false;
}

type Ask = (sql: string, values?: readonly Literal[]) => Promise<readonly Row[]>;

async function run(connection: DuckDBConnection, sql: string, values: readonly Literal[]): Promise<readonly Row[]> {
  return (await connection.runAndReadAll(sql, [...values])).getRowObjectsJS();
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A file as itself, also where its name looks like a pattern. */
const file = (name: string): string => quoted(name.replaceAll(/[[*?]/g, '[$&]'));

const narrow = (segments: readonly Segment[]): string =>
  `read_parquet([${segments.map(segment => file(segment.narrowFile)).join()}], union_by_name = true)`;
const texts = (segments: readonly Segment[]): string =>
  `read_parquet([${segments.map(segment => file(segment.textsFile)).join()}])`;

const sqlTypes = { number: 'double', text: 'varchar', boolean: 'boolean' } as const;

/** @param within the segments that are read: a column that only others have is null in them */
function dialectOf(
  { shelved }: Selected,
  hitsTable?: (leaf: Leaf) => string,
  within: readonly Segment[] = shelved.segments,
): Dialect {
  const known = new Map(shelved.columns.map(column => [column.name, column.type]));
  const there = new Set(within.flatMap(segment => segment.columns.map(column => column.name)));
  return {
    column: (name, type) => {
      const recorded = known.get(name);
      return recorded !== undefined && there.has(name)
        ? `${quotedName(name)}::${sqlTypes[recorded]}`
        : `null::${sqlTypes[recorded ?? type]}`;
    },
    textHits: leaf =>
      hitsTable !== undefined && looksAtTexts(leaf) ? `(__id in (select id from ${hitsTable(leaf)}))` : undefined,
  };
}

const textDialect: Dialect = { column: quotedName, textHits: () => undefined };

const cells = (columns: readonly string[], { shelved }: Selected, dialect: Dialect): string =>
  columns
    .map((name, i) => {
      const type = shelved.columns.find(column => column.name === name)?.type ?? 'text';
      return `, ${dialect.column(name, type)} as cell_${i}`;
    })
    .join('');

const sortColumn = (selected: Selected, { sort }: Page): string => {
  const name = sort?.column ?? 'step';
  return dialectOf(selected).column(
    name,
    selected.shelved.columns.find(column => column.name === name)?.type ?? 'text',
  );
};

const direction = ({ sort }: Page): string => (sort?.descending === true ? 'desc' : 'asc');

function foundRow(row: Row, columns: readonly string[], texts: ReadonlyMap<number, TextsOfRow>): FoundRow {
  return {
    ref: { step: Number(row['step']), group: Number(row['group']), sample: Number(row['sample']) },
    cells: Object.fromEntries(columns.map((name, i) => [name, cell(row[`cell_${i}`])])),
    texts: texts.get(Number(row['__id']))!,
  };
}

const cell = (value: unknown): Cell =>
  typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null;

function textsOf(row: Row, characters: number | undefined): TextsOfRow {
  const { text, cut } = cutText(String(row['completion'] ?? ''), characters);
  const textAt = (name: string) => (typeof row[name] === 'string' ? row[name] : null);
  return {
    prompt: textAt('prompt'),
    completion: text,
    cut,
    question: textAt('question'),
    caption: textAt('caption'),
    images: JSON.parse(textAt('__images') ?? '[]') as readonly ImageRef[],
  };
}
