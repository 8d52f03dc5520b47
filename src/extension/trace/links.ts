// Links that open a place in a trace again: vscode://triphase.triphase/trace?folder=…&step=…&group=…&sample=…&token=…
// A link may come from anywhere, so it only ever looks: it starts nothing, and what it names must be a run folder.

import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RolloutRef } from '../../protocol/query';
import type { ViewState } from '../../protocol/views';

export interface TraceLink {
  readonly folder: string;
  readonly ref: RolloutRef;
  readonly token?: number;
}

export const linkPath = '/trace';

export function linkQuery({ folder, ref, token }: TraceLink): string {
  const query = new URLSearchParams({
    folder,
    step: String(ref.step),
    group: String(ref.group),
    sample: String(ref.sample),
  });
  if (token !== undefined) query.set('token', String(token));
  return query.toString();
}

/** Undefined: no link of ours, or to nothing that is here. */
export function readLink(uriPath: string, query: string): Extract<ViewState, { readonly view: 'trace' }> | undefined {
  if (uriPath !== linkPath) return undefined;
  const params = new URLSearchParams(query);
  const number = (name: string): number => {
    const text = params.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  };
  const folder = params.get('folder') ?? '';
  const ref = { step: number('step'), group: number('group'), sample: number('sample') };
  if (!path.isAbsolute(folder) || Object.values(ref).some(Number.isNaN) || !existsSync(folder)) return undefined;
  const token = number('token');
  return { view: 'trace', folder: path.normalize(folder), ref, ...(Number.isNaN(token) ? {} : { token }) };
}
