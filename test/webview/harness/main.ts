// npm run views -- RUN… [--port N]: opens the views in a plain browser on recorded runs, for work on their design.

import path from 'node:path';
import { answerRecorded } from './recorded';
import { runFolders, serveViews, themes } from './server';

const args = process.argv.slice(2);
const port = args.includes('--port') ? Number(args.splice(args.indexOf('--port'), 2)[1]) : 8765;
const folders = args.flatMap(runFolders);
if (folders.length === 0) {
  process.stderr.write('Name a run folder, or a folder of run folders: npm run views -- examples/shapes/runs\n');
  process.exit(2);
}

serveViews({ folders, answer: answerRecorded, port }).then(({ url }) => {
  const link = (view: string, state: unknown, theme: string): string =>
    `${url}/${view}?${new URLSearchParams({ theme, state: JSON.stringify(state) })}`;
  const [first] = folders;
  for (const theme of Object.keys(themes)) {
    console.log(link('dashboard', { view: 'dashboard', folders: [first] }, theme));
    console.log(link('rollouts', { view: 'rollouts', folders: [first] }, theme));
  }
  console.log(`${folders.map(folder => path.basename(folder)).join(', ')}; Ctrl+C ends`);
});
