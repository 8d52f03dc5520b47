// Hostile inputs over every border: npm run -s fuzz -- [--inputs N] [--seed S] [--border NAME] [--from I]

import { parseArgs } from 'node:util';
import { borders, countsOf } from './all';
import { type FuzzReport, fuzz } from './fuzz';
import { Watchdog } from './watchdog';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    border: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});

/** What a border may still hold at its end more than after a quarter of its inputs: caches that are bounded fill up. */
const mostGrowthMiB = 32;

async function main(): Promise<boolean> {
  const inputs = Number(values.inputs);
  const chosen = borders.filter(({ name }) => values.border === undefined || name === values.border);
  const counts = values.border === undefined ? countsOf(inputs) : new Map(chosen.map(border => [border, inputs]));
  console.log('border                    inputs  refused  slowest ms (input)   held MiB          resident MiB');
  const reports: FuzzReport[] = [];
  const faults: string[] = [];
  const watchdog = new Watchdog(chosen.map(({ name }) => name));
  for (const [number, border] of chosen.entries()) {
    const count = counts.get(border) ?? 0;
    const report = await fuzz(border, {
      seed: Number(values.seed),
      from: Number(values.from),
      count,
      begins: i => watchdog.begins(number, i),
    });
    reports.push(report);
    const [before, after] = report.heldMiB;
    const known = faults.length;
    faults.push(...report.faults);
    if (report.refused === 0) faults.push(`${border.name}: none of ${count} inputs was refused`);
    if (after - before > mostGrowthMiB) faults.push(`${border.name} holds ${(after - before).toFixed(1)} MiB more`);
    console.log(row(report));
    for (const fault of faults.slice(known)) console.log(`FOUND: ${fault}`);
  }
  const first = reports[0]?.rssMiB[0] ?? 0;
  const last = reports.at(-1)?.rssMiB[1] ?? 0;
  console.log(
    JSON.stringify({
      inputs: reports.reduce((sum, report) => sum + report.inputs, 0),
      refused: reports.reduce((sum, report) => sum + report.refused, 0),
      slowestMs: Math.round(reports.reduce((most, report) => Math.max(most, report.slowestMs), 0)),
      longestMs: Math.round(reports.reduce((most, report) => Math.max(most, report.longestMs), 0)),
      heldMiB: [reports[0]?.heldMiB[0], reports.at(-1)?.heldMiB[1]].map(part => Math.round(part ?? 0)),
      rssMiB: [Math.round(first), Math.round(last)],
      found: faults.length,
    }),
  );
  return faults.length === 0;
}

const row = ({ border, inputs, refused, slowestMs, slowest, heldMiB, rssMiB }: FuzzReport): string =>
  [
    border.padEnd(25),
    String(inputs).padStart(6),
    String(refused).padStart(8),
    `${slowestMs.toFixed(0)} (${slowest})`.padStart(18),
    heldMiB
      .map(part => part.toFixed(1))
      .join(' to ')
      .padStart(18),
    rssMiB
      .map(part => part.toFixed(0))
      .join(' to ')
      .padStart(16),
  ].join(' ');

main().then(
  ok => process.exit(ok ? 0 : 1),
  error => {
    console.error(error);
    process.exit(1);
  },
);
