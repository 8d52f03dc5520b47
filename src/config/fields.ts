// How a row of a data file becomes one field of an example.

import { z } from 'zod';

const dottedPath = z.string().min(1);

const readFrom = z.strictObject({
  path: dottedPath.describe('Where in the row, as `a.b.0`.'),
  after: z.string().min(1).optional().describe('Keep only what stands after the last occurrence of this text.'),
  match: z
    .string()
    .min(1)
    .optional()
    .describe('A regular expression; keep its first group, or the whole match where it has no group.'),
});

const written = z.strictObject({
  template: z.string().describe('A Jinja template over the keys of the row; the row itself is `row`.'),
});

const constant = z.strictObject({
  value: z.union([z.string(), z.number(), z.boolean()]).describe('The same for every row.'),
});

export const fieldSpec = z.union([dottedPath, readFrom, written, constant]);

export type FieldSpec = z.output<typeof fieldSpec>;
