// Where test/reference/make_models.py put its models: beside the test, or where TRIPHASE_REFERENCE says.

import path from 'node:path';

const root = process.env['TRIPHASE_REFERENCE'] ?? path.resolve('test/reference/models');

export const referenceModel = (name: string): string => path.join(root, name);
