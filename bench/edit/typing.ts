// A key in a rule until figures are there, through the process that tries rules, as the editor asks it: the rollout at hand,
// a sample of the run that is marked as partial, all of it. The file that is typed in is itself long.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ChildProgram } from '../../src/program/child';
import { type TriedRun, tryRequest } from '../../src/protocol/trial';
import { exampleOf, storeRollouts } from '../reward/stored';
import { type Figure, figureOf } from './figure';
import { longConfig } from './long-config';

/** Between the last key and the question, as in the editor (src/extension/rules/trials.ts). */
const restMs = 15;

/** As many rules as people have, and beside them as many lines as a long file has. */
export async function typingFigures(home: string, rollouts: number): Promise<readonly Figure[]> {
  const folder = path.join(home, 'run');
  await storeRollouts(folder, rollouts);
  const rows = Array.from({ length: Math.ceil(rollouts / 8) + 64 }, (_, i) => exampleOf('bench', String(i + 64)));
  writeFileSync(
    path.join(home, 'bench.jsonl'),
    rows.map(({ id, question, answer, choices }) => JSON.stringify({ id, question, answer, choices })).join('\n'),
  );
  const program = new ChildProgram({
    program: () => ({ node: process.execPath, file: path.resolve('dist/trial.js') }),
    name: 'The process that tries rules',
    onLog: line => process.stderr.write(`trial: ${line}\n`),
  });
  try {
    return [
      ...(await typed(program, folder, 'three rules', short)),
      ...(await typed(program, folder, 'a file of 2,000 lines', long)),
    ];
  } finally {
    await program.close();
  }
}

const short = (pattern: string): string => `model: { path: base }
data: { bench: { path: bench.jsonl } }
rewards:
  rules:
    says_left: { kind: match, pattern: 'left ${pattern}' }
phases: [{ id: p, view: text, sources: [bench], steps: 1 }]
`;

/** One rule is typed in, and the phase of the rollouts uses it alone: the others are only written there. */
const long = (pattern: string): string =>
  longConfig(2000)
    .replace("pattern: '\\d+ [-+] \\d+ = \\d+'", `pattern: 'left ${pattern}'`)
    .replace('id: phase_0', 'id: p');

async function typed(
  program: ChildProgram,
  folder: string,
  what: string,
  text: (pattern: string) => string,
): Promise<readonly Figure[]> {
  const times = { rollout: [] as number[], some: [] as number[], all: [] as number[] };
  const at = { step: 2, group: 3, sample: 1 };
  let running: AbortController | undefined;
  const ask = async (pattern: string, whole: boolean): Promise<void> => {
    // a key ends the question of the key before
    running?.abort();
    const stop = new AbortController();
    running = stop;
    const began = performance.now() - restMs;
    const first = { rollout: 0, some: 0 };
    let isEnough: () => void = () => undefined;
    const enough = new Promise<void>(resolve => {
      isEnough = resolve;
    });
    const took = (run: TriedRun): void => {
      if (run.partial && run.rollouts < 1000) throw new Error('a sample of less than 1,000');
      first.some ||= performance.now() - began;
      if (!whole) isEnough();
    };
    const answer = program
      .ask(
        tryRequest,
        {
          kind: 'curriculum',
          text: text(pattern),
          file: path.join(path.dirname(folder), 'curriculum.yaml'),
          folder,
          at,
        },
        {
          signal: stop.signal,
          told: tried => {
            if (tried.of === 'wrong') throw new Error(tried.problems.map(({ message }) => message).join('\n'));
            if (tried.of === 'rollout') first.rollout ||= performance.now() - began;
            if (tried.of === 'run') took(tried.run);
          },
        },
      )
      .then(tried => {
        if (tried.of === 'wrong') throw new Error(tried.problems.map(({ message }) => message).join('\n'));
        times.all.push(performance.now() - began);
        isEnough();
      });
    await Promise.race([answer.catch(error => (stop.signal.aborted ? enough : Promise.reject(error))), enough]);
    if (first.rollout > 0) times.rollout.push(first.rollout);
    if (first.some > 0) times.some.push(first.some);
  };
  // all rollouts are read once
  await ask('', true);
  for (const list of Object.values(times)) list.length = 0;
  for (let i = 0; i < 20; i++) await ask('abcdefghijklmnopqrst'.slice(0, i + 1), i % 5 === 4);
  return [
    figureOf(`${what}: the trace at hand`, times.rollout, 50),
    figureOf(`${what}: 1,000 rollouts of the run`, times.some, 300),
    figureOf(`${what}: all of them`, times.all, 2000),
  ];
}
