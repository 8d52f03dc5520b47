// triphase rules check: every rule on what it should pay and refuse, over examples of each phase.

import { loadCurriculum } from '../config/curriculum';
import { phaseSettings } from '../config/resolved';
import { loadExamples } from '../data/examples';
import { TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import { type ProbeReport, probeRewards } from '../reward/rule-probes';
import { numberOption, parseCommandLine } from './arguments';
import { exitCode } from './exit-codes';
import { curriculumFile } from './run';
import type { Screen } from './screen';
import { table } from './table';
import { counted, figure } from './words';

const EXAMPLES = 20;

export async function rulesCheckCommand(screen: Screen, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(
    {
      command: 'rules',
      options: { json: { type: 'boolean' }, set: { type: 'string', multiple: true }, limit: { type: 'string' } },
      positionals: ['check CONFIG'],
    },
    args,
  );
  const limit = numberOption('limit', values.limit, { least: 1, whole: true }) ?? EXAMPLES;
  const { config, place } = loadCurriculum(curriculumFile(positionals[0] ?? ''), values.set ?? [], {
    files: 'unchecked',
  });
  const phases = config.phases.filter(({ trainer }) => trainer === 'grpo');
  if (phases.length === 0)
    throw new TriphaseError(
      'config',
      'No phase of the config learns from rewards.',
      'A phase with trainer: grpo does.',
    );
  const reports: { readonly phases: string[]; readonly rules: string; readonly probes: readonly ProbeReport[] }[] = [];
  for (const phase of phases) {
    const { rewards } = phaseSettings(config, phase);
    const sources = [...new Set(phase.sources.map(({ data }) => data))];
    const rules = JSON.stringify([rewards, sources]);
    const same = reports.find(report => report.rules === rules);
    if (same !== undefined) {
      same.phases.push(phase.id);
      continue;
    }
    const examples: Example[] = [];
    for (const id of sources) examples.push(...(await loadExamples(config, id, place)).examples.slice(0, limit));
    reports.push({ phases: [phase.id], rules, probes: await probeRewards(rewards, examples, phase.id) });
  }
  const faults = reports.flatMap(({ probes }) => probes.flatMap(probe => probe.faults)).length;
  if (values.json === true) {
    const shown = reports.map(({ phases: ids, probes }) => ({ phases: ids, probes }));
    process.stdout.write(`${JSON.stringify({ faults, reports: shown })}\n`);
    return faults > 0 ? exitCode.failed : exitCode.ok;
  }
  for (const { phases: ids, probes } of reports) report(screen, ids, probes);
  return faults > 0 ? exitCode.failed : exitCode.ok;
}

function report(screen: Screen, phases: readonly string[], probes: readonly ProbeReport[]): void {
  const rules = Object.keys(probes[0]?.scores ?? {});
  screen.line(screen.style('bold', `${phases.length === 1 ? 'phase' : 'phases'} ${phases.join(', ')}`));
  const rows = probes
    .filter(({ tried }) => tried > 0)
    .map(({ what, tried, reward, scores }) => [
      what,
      String(tried),
      figure(reward),
      ...rules.map(rule => figure(scores[rule] ?? 0)),
    ]);
  const lines = table(
    [['', 'n', 'reward', ...rules], ...rows],
    ['left', ...rules.map(() => 'right' as const), 'right', 'right'],
  );
  for (const line of lines) screen.line(`  ${line}`);
  const faults = probes.flatMap(({ what, faults: found }) => found.map(fault => `${what}: ${fault}`));
  for (const fault of faults) screen.line(`  ${screen.style('red', 'look')} ${fault}`);
  screen.line(
    faults.length === 0
      ? '  nothing pays that should not'
      : `  ${counted(faults.length, 'thing')} to look at; lengths are counted in words here`,
  );
}
