// What a question may be asked with: checked where it comes in.

import { z } from 'zod';
import { parseParams } from '../../program/parse';
import type { QuestionName, Questions } from '../../protocol/query';

/** The system refuses a path with a zero in it by an error of its own. */
const path = z
  .string()
  .min(1)
  .refine(name => !name.includes('\0'), 'no path has such a character');
const folder = path;
const count = z.int().min(0);
const selection = { filter: z.string().exactOptional(), search: z.string().exactOptional() };
const ref = z.object({ step: z.int(), group: count, sample: count });

const schemas: { readonly [N in QuestionName]: z.ZodType<Questions[N]['params']> } = {
  summary: z.object({ folder }),
  rollouts: z.object({
    folder,
    ...selection,
    sort: z.object({ column: z.string(), descending: z.boolean() }).exactOptional(),
    byGroup: z.boolean().exactOptional(),
    offset: count,
    limit: count,
    columns: z.array(z.string()),
  }),
  rollout: z.object({ folder, ref }),
  tokens: z.object({ folder, ref }),
  alternatives: z.object({ folder, ref, from: count, to: count }),
  histogram: z.object({ folder, ...selection, column: z.string(), bins: z.int().min(1).max(1000) }),
  values: z.object({ folder, ...selection, column: z.string(), limit: z.int().min(1).max(10_000) }),
  occurrences: z.object({ folder, source: z.string(), example: z.string() }),
  curves: z.object({ folder }),
  configDifference: z.object({ folders: z.array(folder) }),
  hints: z.object({ folder }),
  image: z.object({ file: path, inside: z.string().exactOptional() }),
  export: z.object({ folder, ...selection, format: z.enum(['csv', 'jsonl']) }),
};

export const parseQuestion = <N extends QuestionName>(name: N, params: unknown): Questions[N]['params'] =>
  parseParams(schemas[name], params, name);
