// Does the curriculum pay? Bases of several cold-start seeds, several training seeds each; text, captioned, image against
// the same number of rollouts on images alone, and against text then images.
//   npm run -s bench:curriculum -- [--bases 1,2] [--seeds 1,2,3] [--items 512] [--parallel 2] [--folder DIR]
// Every figure is of held-out questions, greedy. Runs that are there already in the folder are not made again.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

interface Condition {
  readonly condition: string;
  readonly n: number;
  readonly accuracy: number;
}
type Accuracies = ReadonlyMap<string, number>;

const { values } = parseArgs({
  options: {
    bases: { type: 'string', default: '1,2' },
    seeds: { type: 'string', default: '1,2,3' },
    items: { type: 'string', default: '512' },
    parallel: { type: 'string', default: '2' },
    folder: { type: 'string', default: path.join('out', 'bench-curriculum') },
    arms: { type: 'string', default: '' },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const folder = path.resolve(values.folder);
const shapes = path.join('examples', 'shapes');

/** Steps in text, captioned and image; all have as many. */
const arms = [
  { name: 'text, captioned, image', steps: [60, 40, 60] },
  { name: 'text, image', steps: [60, 0, 100] },
  { name: 'image alone', steps: [0, 0, 160] },
].filter(arm => values.arms === '' || values.arms.split(';').includes(arm.name));

const views = ['text', 'captioned', 'image'] as const;
const conditions = ['image', 'image_caption', 'caption', 'question', 'mismatched'] as const;

/** Runs the command line; its output goes to a file. */
function triphase(args: readonly string[], log: string): Promise<void> {
  const out = openSync(log, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['triphase.mjs', ...args], { stdio: ['ignore', out, out] });
    child.on('error', reject);
    child.on('exit', code =>
      code === 0 ? resolve() : reject(new Error(`triphase ${args[0]} ended with ${code}: ${log}`)),
    );
  });
}

/** A run in a folder of its own, and the checkpoint that it ended with. */
async function train(name: string, config: string, sets: readonly string[]): Promise<string> {
  const run = path.join(folder, name);
  if (!existsSync(path.join(run, 'done'))) {
    const all = ['threads=1', 'device=cpu', 'evaluation.data=[]', 'checkpoints.every=0', ...sets];
    await triphase(
      ['run', config, '--run-dir', run, ...all.flatMap(s => ['--set', s])],
      path.join(folder, `${name}.log`),
    );
    writeFileSync(path.join(run, 'done'), '');
  }
  const checkpoints = path.join(run, 'checkpoints');
  const last = readdirSync(checkpoints)
    .sort((a, b) => Number(a.split('-').at(-1)) - Number(b.split('-').at(-1)))
    .at(-1);
  return path.join(checkpoints, last as string);
}

async function accuracies(model: string): Promise<Accuracies> {
  const file = path.join(model, 'bench-evaluation.json');
  if (!existsSync(file)) {
    const sets = [
      `model.path=${model}`,
      `evaluation.limit=${values.items}`,
      'evaluation.temperature=0',
      'threads=1',
      'device=cpu',
    ];
    const config = path.join(shapes, 'curriculum.yaml');
    await triphase(['evaluate', model, '--config', config, '--json', ...sets.flatMap(s => ['--set', s])], file);
  }
  const line = readFileSync(file, 'utf8').trim().split('\n').at(-1) as string;
  const { conditions: found } = JSON.parse(line) as { conditions: readonly Condition[] };
  return new Map(found.map(c => [c.condition, c.accuracy]));
}

/** Does all, `parallel` at a time. */
async function pool<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs.length) {
      const i = next++;
      results[i] = await (jobs[i] as () => Promise<T>)();
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
  return results;
}

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const deviation = (xs: readonly number[]): number =>
  xs.length < 2 ? 0 : Math.sqrt(xs.reduce((s, x) => s + (x - mean(xs)) ** 2, 0) / (xs.length - 1));
const percent = (x: number): string => (100 * x).toFixed(1);

async function main(): Promise<void> {
  const started = performance.now();
  mkdirSync(folder, { recursive: true });
  const bases = await pool(
    numbers(values.bases).map(seed => async () => {
      const sets = [`seed=${seed}`, `model.init.seed=${seed}`];
      const model = await train(`base-${seed}`, path.join(shapes, 'base.yaml'), sets);
      const result = { seed, model, accuracies: await accuracies(model) };
      console.log(`base ${seed}: ${describe(result.accuracies)}`);
      return result;
    }),
  );
  const jobs = bases.flatMap(base =>
    numbers(values.seeds).flatMap(seed =>
      arms.map(arm => async () => {
        const phases = arm.steps.flatMap((steps, i) =>
          steps === 0 ? [] : [`{id: ${views[i]}, view: ${views[i]}, sources: [train], steps: ${steps}, prompts: 32}`],
        );
        const sets = [`model.path=${base.model}`, `seed=${seed}`, `phases=[${phases.join(', ')}]`];
        const name = `base-${base.seed}-${arm.name.replaceAll(', ', '-').replaceAll(' ', '-')}-${seed}`;
        const model = await train(name, path.join(shapes, 'curriculum.yaml'), sets);
        const result = { base: base.seed, seed, arm: arm.name, accuracies: await accuracies(model) };
        console.log(`base ${base.seed}, seed ${seed}, ${arm.name}: ${describe(result.accuracies)}`);
        return result;
      }),
    ),
  );
  const runs = await pool(jobs);

  console.log(`\n| base | arm | ${conditions.map(c => c.replace('_', ' + ')).join(' | ')} |`);
  console.log(`|---|---|${conditions.map(() => '---').join('|')}|`);
  const table: Record<string, unknown>[] = [];
  for (const base of bases) {
    console.log(`| ${base.seed} | before | ${conditions.map(c => percent(base.accuracies.get(c) ?? 0)).join(' | ')} |`);
    for (const arm of arms) {
      const cells = conditions.map(c => {
        const xs = runs.filter(r => r.base === base.seed && r.arm === arm.name).map(r => r.accuracies.get(c) ?? 0);
        return { condition: c, mean: mean(xs), deviation: deviation(xs), runs: xs };
      });
      console.log(
        `| ${base.seed} | ${arm.name} | ${cells.map(c => `${percent(c.mean)} (${percent(c.deviation)})`).join(' | ')} |`,
      );
      table.push({ base: base.seed, arm: arm.name, cells });
    }
  }
  const minutes = (performance.now() - started) / 60_000;
  console.log(
    `\nPer cent of ${values.items} held-out questions, greedy; mean (deviation) over ${values.seeds.split(',').length} training seeds. ${minutes.toFixed(0)} min.\n`,
  );
  console.log(
    JSON.stringify({
      bench: 'curriculum',
      items: Number(values.items),
      bases: bases.map(b => ({ seed: b.seed, ...Object.fromEntries(b.accuracies) })),
      table,
      minutes,
    }),
  );
}

const describe = (a: Accuracies): string => conditions.map(c => `${c} ${percent(a.get(c) ?? 0)}`).join(', ');

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
