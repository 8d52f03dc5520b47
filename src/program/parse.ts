// What came in from another process, checked before it is used.

import type { z } from 'zod';
import { TriphaseError } from '../protocol/errors';

/** Throws a TriphaseError of kind `usage` that names the first field that is wrong. */
export function parseParams<T>(schema: z.ZodType<T>, params: unknown, what: string): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TriphaseError('usage', `${what} cannot be asked so: ${issue?.path.join('.')}: ${issue?.message}.`);
}
