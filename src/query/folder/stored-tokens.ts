// What a step file holds of the tokens of one completion: of the file only that row is taken, and these columns.

import { parquetRows, parquetShape } from '../../parquet/read';
import type { TokenAlternative, TokenFigures } from '../../protocol/query';

export async function tokensIn(file: string, group: number, sample: number): Promise<TokenFigures | null> {
  const row = await rowOf(file, group, sample, [
    'completion_ids',
    'offsets',
    'logprobs',
    'train_logprobs',
    'ref_logprobs',
    'entropy',
  ]);
  const numbers = (name: string): readonly number[] | null => {
    const value = row?.[name];
    return Array.isArray(value) ? value.map(Number) : null;
  };
  const ids = numbers('completion_ids');
  if (ids === null) return null;
  const offsets = numbers('offsets');
  return {
    ids,
    // of another number of tokens they say nothing of these
    offsets: offsets?.length === ids.length ? offsets : null,
    logprobs: numbers('logprobs'),
    trainLogprobs: numbers('train_logprobs'),
    refLogprobs: numbers('ref_logprobs'),
    entropy: numbers('entropy'),
  };
}

/** Of all tokens, without their texts; null where they were not recorded. */
export async function alternativesIn(
  file: string,
  group: number,
  sample: number,
): Promise<readonly (readonly TokenAlternative[])[] | null> {
  const row = await rowOf(file, group, sample, ['alternative_ids', 'alternative_logprobs']);
  const [ids, logprobs] = [row?.['alternative_ids'], row?.['alternative_logprobs']];
  if (!Array.isArray(ids) || !Array.isArray(logprobs)) return null;
  return ids.map((all: unknown, token) => {
    const logprobsHere: unknown = logprobs[token];
    if (!Array.isArray(all) || !Array.isArray(logprobsHere)) return [];
    return all.map((id: unknown, i) => ({ id: Number(id), text: null, logprob: Number(logprobsHere[i]) }));
  });
}

async function rowOf(
  file: string,
  group: number,
  sample: number,
  wanted: readonly string[],
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const shape = await parquetShape(file);
  const rows = shape.groups.reduce((sum, one) => sum + one.rows, 0);
  const numbers = await parquetRows({ file, columns: ['group', 'sample'], from: 0, to: rows, as: 'typed' });
  const at = numbers.findIndex(one => Number(one['group']) === group && Number(one['sample']) === sample);
  if (at < 0) return undefined;
  const columns = wanted.filter(name => shape.columns.includes(name));
  return (await parquetRows({ file, columns, from: at, to: at + 1, as: 'typed' }))[0];
}
