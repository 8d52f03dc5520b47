// Links lead to a run, a step, a completion or a token that is here, and to nothing else.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { linkPath, linkQuery, readLink } from '../../../src/extension/trace/links';

describe('links', () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'triphase-links-'));
  // whatever a folder may be called
  const folder = path.join(parent, 'a & b=c + 10%');
  before(() => mkdirSync(folder));
  after(() => rmSync(parent, { recursive: true, force: true }));
  const to = (more: Readonly<Record<string, string>>, at = folder): string =>
    new URLSearchParams({ folder: at, ...more }).toString();

  it('lead back to the token that they were made at', () => {
    const ref = { step: 12, group: 0, sample: 3 };
    assert.deepEqual(readLink(linkPath, linkQuery({ folder, ref, token: 7 })), {
      view: 'trace',
      folder,
      ref,
      token: 7,
    });
    assert.deepEqual(readLink(linkPath, linkQuery({ folder, ref })), { view: 'trace', folder, ref });
  });

  it('lead to a run, and to a step', () => {
    assert.deepEqual(readLink('/run', to({})), { view: 'dashboard', folders: [folder] });
    assert.deepEqual(readLink('/rollouts', to({ step: '3' })), { view: 'rollouts', folders: [folder], step: 3 });
    assert.deepEqual(readLink('/rollouts', to({})), { view: 'rollouts', folders: [folder] });
  });

  it('lead nowhere else', () => {
    const place = { step: '1', group: '0', sample: '0' };
    assert.equal(readLink('/trace', to({ ...place, sample: '-1' })), undefined);
    assert.equal(readLink('/trace', to({ ...place, step: '1e3' })), undefined);
    assert.equal(readLink('/trace', to({ step: '1' })), undefined);
    assert.equal(readLink('/trace', to(place, path.join(parent, 'gone'))), undefined);
    assert.equal(readLink('/trace', to(place, 'relative')), undefined);
    assert.equal(readLink('/run', 'folder='), undefined);
    assert.equal(readLink('/start', to({})), undefined);
  });
});
