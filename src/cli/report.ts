// What came of a run or an evaluation, as tables.

import type { ConditionResult, Evaluation, EvaluationFigures } from '../protocol/evaluation';
import type { Screen } from './screen';
import { table } from './table';
import { conditionNames, percent } from './words';

export interface NamedEvaluation extends Evaluation {
  /** "base", or the phase after which it was made. */
  readonly name: string;
}

/** So many columns fit into 100 characters. */
const columnsATable = 4;

/** A table of each data set, where there are several, and one of all together. */
export function reportEvaluations(screen: Screen, evaluations: readonly NamedEvaluation[]): void {
  const sources = [...new Set(evaluations.flatMap(({ bySource = [] }) => bySource.map(({ source }) => source)))];
  for (const source of sources) {
    const own = evaluations.flatMap(({ name, bySource = [] }) =>
      bySource.flatMap(figures => (figures.source === source ? [{ name, ...figures }] : [])),
    );
    report(screen, source, own);
  }
  report(screen, sources.length === 0 ? 'accuracy' : 'all together', evaluations);
  if (evaluations.length > 0) {
    screen.line();
    screen.line(screen.style('dim', 'In brackets: 95% interval. Language bias: question alone / image.'));
    screen.line(screen.style('dim', 'Caption dependence: image + caption less image, in points.'));
  }
}

type NamedFigures = EvaluationFigures & { readonly name: string };

function report(screen: Screen, title: string, evaluations: readonly NamedFigures[]): void {
  for (let from = 0; from < evaluations.length; from += columnsATable) {
    const part = evaluations.slice(from, from + columnsATable);
    const names = part.map(({ name }) => ` ${name}`);
    const [header, ...rows] = table([[title, 'n', ...names], ...figures(part)], ['left', 'right']);
    screen.line();
    screen.line(screen.style('bold', header ?? ''));
    for (const row of rows) screen.line(row);
  }
}

function figures(evaluations: readonly NamedFigures[]): readonly (readonly string[])[] {
  const conditions = [...new Set(evaluations.flatMap(({ conditions }) => conditions.map(c => c.condition)))];
  const results = conditions.map(condition => ({
    condition,
    results: evaluations.map(evaluation => evaluation.conditions.find(c => c.condition === condition)),
  }));
  const row = (name: string, cell: (evaluation: NamedFigures) => string | undefined) => {
    const cells = evaluations.map(cell);
    return cells.every(text => text === undefined) ? [] : [[name, '', ...cells.map(text => inColumn(text ?? ''))]];
  };
  return [
    ...results.map(({ condition, results }) => [
      conditionNames[condition],
      commonCount(results),
      ...results.map(result => (result === undefined ? '' : inColumn(accuracy(result)))),
    ]),
    ...row('chance', ({ conditions }) => optional(main(conditions)?.chance)),
    ...row('majority answer', ({ conditions }) => optional(main(conditions)?.majority)),
    ...row('asked format', ({ conditions }) => optional(main(conditions)?.formatRate)),
    ...row('language bias', ({ languageBias: { bias } }) => bias?.toFixed(2)),
    ...row('caption dependence', ({ languageBias: { captionDependence } }) =>
      captionDependence === undefined
        ? undefined
        : `${captionDependence >= 0 ? '+' : ''}${(captionDependence * 100).toFixed(1)}`,
    ),
  ];
}

/** Percentages stand one below the other, whatever follows them. */
function inColumn(text: string): string {
  const [first = ''] = text.split(' ', 1);
  return `${first.padStart(6)}${text.slice(first.length)}`;
}

function accuracy({ accuracy, interval: [low, high] }: ConditionResult): string {
  return `${percent(accuracy)} [${(low * 100).toFixed(1)}, ${(high * 100).toFixed(1)}]`;
}

/** Chance, majority and format are those of the image condition, which is what the phases are for. */
function main(conditions: readonly ConditionResult[]): ConditionResult | undefined {
  return conditions.find(({ condition }) => condition === 'image') ?? conditions[0];
}

function optional(share: number | undefined): string | undefined {
  return share === undefined ? undefined : percent(share);
}

function commonCount(results: readonly (ConditionResult | undefined)[]): string {
  const counts = new Set(results.flatMap(result => (result === undefined ? [] : [result.n])));
  return [...counts].join('/');
}
