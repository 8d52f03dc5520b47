// What stands beside the axes of a chart.

import type { Figure } from './figure';

export const stepLabel = (step: number): string => (Number.isInteger(step) ? String(step) : '');

/** All with the digits of the finest, so that the labels line up. */
export function axisValues({ unit }: Pick<Figure, 'unit'>, splits: readonly number[]): string[] {
  if (unit === 'share') {
    const fine = splits.some(value => Math.abs(Math.round(value * 100) - value * 100) > 1e-6);
    return splits.map(value => `${(value * 100).toFixed(fine ? 1 : 0)}%`);
  }
  const largest = Math.max(...splits.map(Math.abs));
  if (largest >= 1e7 || (largest < 1e-3 && largest > 0)) return exponents(splits);
  if (largest >= 10_000) return splits.map(value => `${value / 1000}k`.replace('-', '−'));
  const exact = (n: number): boolean => splits.every(value => Math.abs(Number(value.toFixed(n)) - value) < 1e-9);
  const digits = [0, 1, 2, 3].find(exact) ?? 4;
  return splits.map(value => value.toFixed(digits).replace('-', '−'));
}

/** With as many digits as tell them apart; a longer label would not fit beside the chart. */
function exponents(splits: readonly number[]): string[] {
  const written = (digits: number): string[] =>
    splits.map(value => (value === 0 ? '0' : value.toExponential(digits).replace('e+', 'e').replace(/^-/, '−')));
  return [0, 1].map(written).find(labels => new Set(labels).size === labels.length) ?? written(2);
}
