// Writes the data of this example: `generate FOLDER [training|base|all] [SEED]`.
import path from 'node:path';
import { writeBase, writeTraining } from './world';

async function main(): Promise<void> {
  const [folder = path.join('examples', 'shapes', 'data'), which = 'all', seed = '1'] = process.argv.slice(2);
  const started = performance.now();
  if (which !== 'base') await writeTraining(folder, Number(seed));
  if (which !== 'training') await writeBase(folder, Number(seed));
  console.log(`${folder}: ${which} written in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
