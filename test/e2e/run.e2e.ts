// From the palette to a run that can be watched.

import assert from 'node:assert/strict';
import path from 'node:path';
import { readEvents } from '../../src/run/event-log';
import { prepareShapes } from './lab';
import { until, Workbench } from './workbench';

describe('a run in the workbench', () => {
  let workbench: Workbench;
  before(async () => {
    workbench = await Workbench.open({ vsix: process.env['TRIPHASE_E2E_VSIX'] ?? '', prepare: prepareShapes });
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed())
      await workbench.picture(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-')}`);
  });
  after(() => workbench?.close());

  it('starts from the palette, and is a row at once that moves', async () => {
    await workbench.page.keyboard.press('Control+Shift+E');
    await workbench.command('Triphase: Run Curriculum');
    await workbench.command('Triphase: Focus on Runs View');
    await workbench.row('shapes').waitFor();
    await workbench.picture('row-at-once');
    await workbench.row(/shapes.*\w+ \d+\/\d+/).waitFor();
    await workbench.statusBar(/\w+ \d+\/\d+ · reward/).waitFor();
    const [run = ''] = workbench.runs();
    assert.match(path.basename(run), /^shapes-/);
    await workbench.picture('row-live');
  });

  it('is still running after the window was loaded anew', async () => {
    const lastStep = () =>
      readEvents(workbench.runs()[0] ?? '').events.findLast(event => event.kind === 'step')?.step ?? 0;
    await workbench.load();
    await workbench.command('Triphase: Focus on Runs View');
    const before = lastStep();
    await workbench.row(/shapes.*\w+ \d+\/\d+.*left/).waitFor();
    await until('a later step', async () => lastStep() > before + 1);
    await workbench.picture('after-reload');
  });

  it('stops when it is told to, and says so', async () => {
    await workbench.command('Triphase: Stop Run');
    await workbench.notification(/has stopped after step \d+/).waitFor();
    await workbench.row(/stopped · step \d+/).waitFor();
    await workbench.picture('stopped');
  });
});
