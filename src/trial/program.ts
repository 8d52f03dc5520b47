// The process that tries rules: dist/trial.js.

import { z } from 'zod';
import { parseParams } from '../program/parse';
import { ProgramServer } from '../program/serve';
import { recomputeRequest, testRulesRequest, tryRequest } from '../protocol/trial';
import { RuleTrials } from './rule-trials';

const count = z.int().min(0);
const rulesText = z.object({ kind: z.enum(['curriculum', 'rewards']), text: z.string(), file: z.string() });
const tryParams = rulesText.extend({
  folder: z.string().min(1).exactOptional(),
  most: count.exactOptional(),
  at: z.object({ step: count, group: count, sample: count }).exactOptional(),
});
const recomputeParams = z.object({
  folder: z.string().min(1),
  under: z.discriminatedUnion('of', [
    z.object({
      of: z.literal('version'),
      version: z.int().min(1),
      rulesOf: z.string().min(1).exactOptional(),
    }),
    rulesText.extend({ of: z.literal('text') }),
  ]),
});

const trials = new RuleTrials();

const server = new ProgramServer();
server.on(tryRequest, (params, { signal, tell }) =>
  trials.try(parseParams(tryParams, params, 'A trial'), tell ?? (() => undefined), signal),
);
server.on(recomputeRequest, (params, { signal, tell }) =>
  trials.recompute(parseParams(recomputeParams, params, 'A run that is paid anew'), tell ?? (() => undefined), signal),
);
server.on(testRulesRequest, params => trials.test(parseParams(rulesText, params, 'Tests')));
server.listen();
