// triphase rescore: what the rules of a config would have paid for the rollouts of a run.

import path from 'node:path';
import { loadCurriculum } from '../config/curriculum';
import { phaseSettings } from '../config/resolved';
import type { Curriculum } from '../config/schema';
import { advantageOptions } from '../curriculum/settings';
import { loadExamples } from '../data/examples';
import { TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import { hintsOf } from '../query/hints';
import { type RescoreReport, rescore } from '../query/rescore';
import { type ExampleOf, storedRollouts } from '../query/stored-rollouts';
import { compileRules, type RuleSet } from '../reward/rule-set';
import { parseCommandLine } from './arguments';
import { exitCode } from './exit-codes';
import { curriculumFile } from './run';
import { Screen } from './screen';
import { table } from './table';
import { counted, figure, percent } from './words';

export async function rescoreCommand(screen: Screen, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(
    {
      command: 'rescore',
      options: { config: { type: 'string' }, set: { type: 'string', multiple: true }, json: { type: 'boolean' } },
      positionals: ['RUN'],
    },
    args,
  );
  if (values.config === undefined) throw new TriphaseError('usage', 'rescore needs the rules.', 'Add --config CONFIG.');
  const { config } = loadCurriculum(curriculumFile(values.config), values.set ?? [], { files: 'unchecked' });
  const top = await compileRules(config.rewards);
  const ofPhase = new Map<string, RuleSet>();
  for (const phase of config.phases) ofPhase.set(phase.id, await compileRules(phaseSettings(config, phase).rewards));
  const aside = values.json === true ? new Screen(process.stderr) : screen;
  const stored = await storedRollouts(path.resolve(positionals[0] ?? ''), await examplesOf(config));
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort();
  process.once('SIGINT', onInterrupt);
  const report = await rescore(stored, phase => ofPhase.get(phase) ?? top, {
    seed: config.seed,
    advantage: advantageOptions(config),
    signal: cancel.signal,
    progress: ({ files, ofFiles, reward }) =>
      aside.status(`${files}/${ofFiles} steps, mean reward ${figure(reward.after)}`),
  });
  process.off('SIGINT', onInterrupt);
  aside.status('');
  if (values.json === true) process.stdout.write(`${JSON.stringify({ ...report, hints: hintsOf(report) })}\n`);
  else print(screen, report);
  return report.partial ? exitCode.stopped : exitCode.ok;
}

/** Examples by source and id, for what a rollout does not keep; data that is not there is done without. */
async function examplesOf(config: Curriculum): Promise<ExampleOf> {
  const bySource = new Map<string, ReadonlyMap<string, Example>>();
  for (const id of Object.keys(config.data)) {
    const examples = await loadExamples(config, id).then(
      loaded => loaded.examples,
      () => [],
    );
    bySource.set(id, new Map(examples.map(example => [example.id, example])));
  }
  return (source, id) => bySource.get(source)?.get(id);
}

function print(screen: Screen, report: RescoreReport): void {
  const { samples, groups, files, ofFiles, reward, right, ungradable, groupsWithoutSpread: flat } = report;
  if (report.partial) screen.line(`broken off after ${files} of ${ofFiles} steps: these figures are partial`);
  screen.line(`${counted(samples, 'completion')} in ${counted(groups, 'group')}, ${counted(files, 'step')}`);
  screen.line(
    `reward ${reward.before === undefined ? 'not recorded' : figure(reward.before)} -> ${figure(reward.after)}; ${right} right, ${ungradable} ungradable`,
  );
  const rows = report.rules.map(({ rule, weight, mean, fires, change, errors }) => [
    rule,
    figure(weight),
    figure(mean),
    percent(fires),
    change === undefined ? 'not recorded' : figure(change),
    Object.entries(errors)
      .map(([code, count]) => `${code} ${count}`)
      .join(', '),
  ]);
  for (const line of table(
    [['rule', 'weight', 'mean', 'fires', 'change', 'errors'], ...rows],
    ['left', 'right', 'right', 'right', 'right'],
  ))
    screen.line(`  ${line}`);
  screen.line(
    `groups without spread: ${flat.before === undefined ? 'not recorded' : flat.before} -> ${flat.after}; in another order: ${report.groupsReordered}; advantages with the other sign: ${report.advantagesFlipped}`,
  );
  for (const { file, group, sample, before, after, completion } of report.mostChanged)
    screen.line(
      `  ${file} group ${group} sample ${sample}: ${figure(before)} -> ${figure(after)}  ${JSON.stringify(completion.slice(0, 60))}`,
    );
  for (const hint of hintsOf(report)) screen.line(`${screen.style('yellow', 'hint')} ${hint}`);
}
