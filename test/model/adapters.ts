// Reads what test/reference/make_adapters.py wrote: adapters of peft beside the reference models.

import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.join(process.env['TRIPHASE_REFERENCE'] ?? path.resolve('test/reference/models'), '../adapters');

/** The folders of all reference adapters. */
export const referenceAdapters = (): string[] => readdirSync(root).map(name => path.join(root, name));

export interface AdapterRun {
  readonly loss: number;
  readonly batch: readonly { readonly case: string; readonly completionIds: readonly number[] }[];
  readonly dropout?: {
    readonly share: number;
    readonly loss: number;
    readonly case: string;
    readonly completionIds: readonly number[];
  };
  readonly updates: {
    readonly learningRate: number;
    readonly betas: [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    readonly maxGradNorm: number;
    readonly losses: readonly number[];
  };
}
