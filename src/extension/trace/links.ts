// Links that open a place again:
//   vscode://triphase.triphase/run?folder=…                                   a run
//   vscode://triphase.triphase/rollouts?folder=…&step=…                       a step
//   vscode://triphase.triphase/trace?folder=…&step=…&group=…&sample=…&token=… a completion, or a token of it
// A link may come from anywhere, so it only ever looks: it starts nothing, and what it names must be a folder that is here.

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
export function readLink(uriPath: string, query: string): ViewState | undefined {
  const params = new URLSearchParams(query);
  const given = params.get('folder') ?? '';
  if (!path.isAbsolute(given) || !existsSync(given)) return undefined;
  const folder = path.normalize(given);
  const number = (name: string): number | undefined => {
    const text = params.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  };
  const step = number('step');
  switch (uriPath) {
    case '/run':
      return { view: 'dashboard', folders: [folder] };
    case '/rollouts':
      return { view: 'rollouts', folders: [folder], ...(step === undefined ? {} : { step }) };
    case linkPath: {
      const [group, sample, token] = [number('group'), number('sample'), number('token')];
      if (step === undefined || group === undefined || sample === undefined) return undefined;
      return { view: 'trace', folder, ref: { step, group, sample }, ...(token === undefined ? {} : { token }) };
    }
    default:
      return undefined;
  }
}
