// triphase export

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { merged } from '../model/adapter';
import { companionsFolder } from '../model/adapter-files';
import { loadModel } from '../model/load';
import { saveModel } from '../model/weights';
import { TriphaseError } from '../protocol/errors';
import { parseCommandLine } from './arguments';
import { exitCode } from './exit-codes';
import { findModel } from './find-model';
import type { Screen } from './screen';
import { shown } from './shown';

export async function exportCommand(screen: Screen, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(
    { command: 'export', options: { merged: { type: 'string' } }, positionals: ['RUN or MODEL'] },
    args,
  );
  if (values.merged === undefined)
    throw new TriphaseError('usage', 'It is not said where to.', 'Add --merged DIR, a folder that is not there yet.');
  const { model } = findModel(path.resolve(positionals[0] ?? ''));
  const into = path.resolve(values.merged);
  if (existsSync(into) && readdirSync(into).length > 0)
    throw new TriphaseError('usage', 'The folder to export into is not empty.', 'Name one that is not there yet.', {
      file: into,
    });
  screen.line(`${screen.style('bold', 'model'.padEnd(9))} ${shown(model)}`);
  const { form, weights } = await loadModel(model);
  await saveModel(into, form, merged(form, weights), await companionsFolder(model));
  const { adapter } = form;
  if (adapter !== undefined)
    screen.line(`${'adapter'.padEnd(9)} of ${adapter.modules.size} projections, merged into ${shown(adapter.base)}`);
  screen.line(`${'exported'.padEnd(9)} ${shown(into)}`);
  return exitCode.ok;
}
