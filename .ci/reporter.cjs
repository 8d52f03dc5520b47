// mocha's spec report, and a line "passed failed skipped" in the file that TRIPHASE_COUNTS names: .ci/run adds them up.
const { appendFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const mocha = createRequire(path.join(__dirname, '..', 'package.json'))('mocha');

module.exports = class SpecWithCounts extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats;
      appendFileSync(process.env.TRIPHASE_COUNTS, `${passes} ${failures} ${pending}\n`);
    });
  }
};
