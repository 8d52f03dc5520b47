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
  if (largest >= 10_000) return splits.map(value => `${value / 1000}k`);
  if (largest < 1e-3 && largest > 0) return splits.map(value => (value === 0 ? '0' : value.toExponential(0)));
  const exact = (n: number): boolean => splits.every(value => Math.abs(Number(value.toFixed(n)) - value) < 1e-9);
  const digits = [0, 1, 2, 3].find(exact) ?? 4;
  return splits.map(value => value.toFixed(digits).replace('-', '−'));
}
