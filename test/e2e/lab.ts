// The folder that the tests open: the example, with its pictures, and steps to the measure of a test.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const example = path.resolve('examples', 'shapes');

export function prepareShapes(folder: string): void {
  const shapes = path.join(folder, 'shapes');
  cpSync(path.join(example, 'base'), path.join(shapes, 'base'), { recursive: true });
  symlinkSync(path.join(example, 'data'), path.join(shapes, 'data'));
  const config = readFileSync(path.join(example, 'curriculum.yaml'), 'utf8')
    .replaceAll('prompts: 32', 'prompts: 8')
    .replace('limit: 256', 'limit: 16, conditions: [image]')
    .replace('every: 20', 'every: 10');
  writeFileSync(path.join(shapes, 'curriculum.yaml'), config);
}
