// Paths as a person reads them.

import path from 'node:path';

/** Relative when it is below the working directory. */
export function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}

/** As a shell takes it. */
export function quoted(file: string): string {
  return /^[\w./\\:@%+,-]+$/.test(file) ? file : `"${file}"`;
}
