// The floor of an update: its matrix products alone, each at the shape and with the threads that a share of the update
// has, as fast as the runtime does it. The shares run side by side, so that one is the floor of all.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { phaseSettings } from '../../src/config/resolved';
import type { Phase } from '../../src/config/schema';
import { replicaCount } from '../../src/curriculum/replica-count';
import { Model } from '../../src/model/model';
import { type Dim, Graph, type Node, type Value } from '../../src/tensor/graph';
import { gemm, matmul, reduceSum } from '../../src/tensor/ops';
import { Session } from '../../src/tensor/session';
import type { Tensor } from '../../src/tensor/tensor';
import { completionLogits, type GrpoGraphOptions, grpoGraph } from '../../src/train/losses';
import { objectiveOf } from './ours';
import { leastMs } from './profile';
import type { Subject } from './subject';

export interface Product {
  readonly what: string;
  readonly count: number;
  /** Milliseconds, one of them. */
  readonly ms: number;
  readonly gigaflops: number;
}

export interface Floor {
  /** Seconds of all products of a share of an update. */
  readonly seconds: number;
  readonly products: readonly Product[];
}

const WARM_UP = 3;
const UNUSED = { device: 'cpu', threads: 1 } as const;

/** @param runs of each product that are timed */
export async function productFloor(subject: Subject, runs: number): Promise<Floor> {
  const { config, modelConfig, promptTokens } = subject;
  const [phase] = config.phases as readonly [Phase];
  const { generation, grpo } = phaseSettings(config, phase);
  const { weights } = await Model.load(subject.model, UNUSED);
  const { replicas, threads } = replicaCount(config, 'cpu', [...weights.values()]);
  const graph = grpoGraph(completionLogits(modelConfig, 'none'), objectiveOf(subject) as GrpoGraphOptions, () => true);
  const batch = Math.ceil(Math.min(grpo.micro_batch === 'auto' ? 1 : grpo.micro_batch, phase.prompts) / replicas);
  const sizes: Readonly<Record<string, number>> = {
    batch,
    group: generation.samples,
    prompt: promptTokens - 1,
    completion: generation.max_tokens,
  };
  const kinds = new Map<string, { readonly node: Node; readonly shapes: readonly number[][]; count: number }>();
  for (const node of graph.nodes) {
    if (node.op !== 'Gemm' && node.op !== 'MatMul') continue;
    const shapes = node.inputs.slice(0, 2).map(v => v.dims.map(d => evaluate(d, sizes)));
    const { transA = 0, transB = 0 } = node.attributes;
    const key = `${node.op} ${shapes.map(s => s.join('x')).join(' ')} ${transA}${transB}`;
    const known = kinds.get(key);
    if (known === undefined) kinds.set(key, { node, shapes, count: 1 });
    else known.count++;
  }
  const products: Product[] = [];
  for (const [what, { node, shapes, count }] of kinds) {
    const ms = await time(node, shapes, threads, runs, subject.folder);
    const [a = [], b = []] = shapes;
    const columns = b[b.length - (node.attributes['transB'] === 1 ? 2 : 1)] ?? 1;
    const flops = 2 * a.reduce((x, y) => x * y, 1) * columns;
    products.push({ what, count, ms, gigaflops: flops / ms / 1e6 });
  }
  const updates = Math.ceil(phase.prompts / batch / replicas);
  return {
    seconds: (updates * products.reduce((s, p) => s + p.count * p.ms, 0)) / 1000,
    products: products.sort((x, y) => y.count * y.ms - x.count * x.ms),
  };
}

function evaluate(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  if (typeof dim === 'number') return dim;
  const factor = (part: string): number => (/^\d+$/.test(part) ? Number(part) : (sizes[part] ?? Number.NaN));
  const terms = dim.split('+').map(term => term.split('*').reduce((p, part) => p * factor(part), 1));
  return terms.reduce((s, x) => s + x, 0);
}

/**
 * Milliseconds in the kernel. The result stays in the runtime, as it does in an update, where it lies in memory that was
 * used before: a result that is given out is written to new memory, which can take as long as the product.
 */
async function time(
  { op, attributes }: Node,
  shapes: readonly number[][],
  threads: number,
  runs: number,
  into: string,
): Promise<number> {
  const graph = new Graph();
  const [a, b] = shapes.map((dims, i) => graph.input(`x${i}`, 'float32', dims)) as [Value, Value];
  const [transA, transB] = [attributes['transA'] === 1, attributes['transB'] === 1];
  const y = (op === 'Gemm' ? gemm : matmul)(a, b, { transA, transB });
  graph.output(
    'sum',
    reduceSum(
      y,
      y.dims.map((_, i) => i),
      false,
    ),
  );
  const feeds = new Map<string, Tensor>(
    shapes.map((dims, i) => {
      const size = dims.reduce((x, y) => x * y, 1);
      return [`x${i}`, { dims, data: Float32Array.from({ length: size }, (_, j) => ((j * 37) % 101) / 101 - 0.5) }];
    }),
  );
  const folder = mkdtempSync(path.join(into, 'product-'));
  const session = await Session.create(graph, { device: 'cpu', threads, profile: path.join(folder, 'p') });
  for (let i = 0; i < WARM_UP + runs; i++) await session.run(feeds);
  await session.dispose();
  const [profile] = readdirSync(folder);
  const ms = leastMs(path.join(folder, profile as string), WARM_UP, 'ReduceSum');
  rmSync(folder, { recursive: true });
  return ms;
}
