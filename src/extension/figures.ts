// Figures as a person reads them in a row or the status bar.

/** Three significant digits. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** "8 s", "3 min", "2 h 10 min": a time to come is not known better. */
export function roughly(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
