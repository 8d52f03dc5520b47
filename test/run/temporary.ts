// A folder for each test, removed after it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export function temporaryFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'triphase-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return () => folder;
}
