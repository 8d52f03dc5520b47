// npm run views -- RUN… [--port N] [--config FILE]: opens the views in a plain browser on recorded runs, for work on their
// design. A config is for the preview of its phases.

import path from 'node:path';
import { loadCurriculum } from '../../../src/config/curriculum';
import { commandLinePreview } from './command-line';
import { queryAnswers } from './query-answers';
import { runFolders, serveViews, themes } from './server';
import { trialAnswers } from './trial-answers';

const args = process.argv.slice(2);
const option = (name: string): string | undefined =>
  args.includes(name) ? args.splice(args.indexOf(name), 2)[1] : undefined;
const port = Number(option('--port') ?? 8765);
const config = option('--config');
const folders = args.flatMap(runFolders);
if (folders.length === 0) {
  process.stderr.write('Name a run folder, or a folder of run folders: npm run views -- examples/shapes/runs\n');
  process.exit(2);
}

const { answer, close } = queryAnswers();
const trial = trialAnswers();
process.once('SIGINT', () => void Promise.all([close(), trial.close()]).then(() => process.exit(0)));
serveViews({ folders, answer, preview: commandLinePreview, recompute: trial.recompute, port }).then(({ url }) => {
  const link = (view: string, state: object, theme: string): string =>
    `${url}/${view}?${new URLSearchParams({ theme, state: JSON.stringify({ view, ...state }) })}`;
  for (const theme of Object.keys(themes)) {
    console.log(link('dashboard', { folders: folders.slice(0, 1) }, theme));
    console.log(link('rollouts', { folders: folders.slice(0, 1) }, theme));
    if (config === undefined) continue;
    const file = path.resolve(config);
    const phase = loadCurriculum(file, []).config.phases[0]?.id ?? '';
    console.log(link('preview', { config: file, phase }, theme));
  }
  console.log(`${folders.map(folder => path.basename(folder)).join(', ')}; Ctrl+C ends`);
});
