// The memory that a run of a graph takes, from the graph alone: values in the order of its nodes, each there from the node
// that makes it to the last that reads it, as the runtime's planner has it. Parameters and other inputs are not counted:
// they lie in memory before the run.

import type { DataType, Graph, Node, Value } from './graph';
import { liveNodes } from './onnx';
import { sizeOf } from './sizes';

const BYTES: Readonly<Record<DataType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  int64: 8,
  int8: 1,
  uint8: 1,
  bool: 1,
};

export interface Footprint {
  /** The most that intermediate values and outputs take together, bytes. */
  readonly peak: number;
  /** Outputs alone: they are copied when the run is over. */
  readonly outputs: number;
}

/** Operators whose result is another view of their input. */
const views = new Set(['Reshape', 'Identity']);

/** Operators of one kernel that may write their result over an input of the same size. */
const overwrites = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Exp', 'Sqrt', 'Sigmoid', 'Reciprocal', 'Softmax']);

export function footprint(graph: Graph, sizes: ReadonlyMap<string, number>): Footprint {
  const bytesOf = (value: Value): number =>
    value.dims.reduce<number>((n, dim) => n * sizeOf(dim, sizes), BYTES[value.type]);
  const nodes = inOrder(liveNodes(graph));
  const root = new Map<Value, Value>();
  const rootOf = (value: Value): Value => root.get(value) ?? value;
  for (const node of nodes) if (views.has(node.op)) root.set(node.outputs[0] as Value, rootOf(node.inputs[0] as Value));
  const last = new Map<Value, number>();
  nodes.forEach((node, at) => {
    for (const x of node.inputs) last.set(rootOf(x), at);
  });
  for (const { value } of graph.outputs) last.set(rootOf(value), nodes.length);

  const given = new Set<Value>([...graph.inputs, ...graph.constants.map(c => c.value)]);
  const made = new Set<Value>();
  let now = 0;
  let peak = 0;
  nodes.forEach((node, at) => {
    if (!views.has(node.op)) {
      const over = overwritten(node, at, last, rootOf, made, bytesOf);
      for (const y of node.outputs) {
        made.add(y);
        now += bytesOf(y);
      }
      if (over !== undefined) {
        made.delete(over);
        now -= bytesOf(over);
      }
      peak = Math.max(peak, now);
    }
    for (const x of new Set(node.inputs.map(rootOf))) {
      if (last.get(x) !== at || given.has(x) || !made.delete(x)) continue;
      now -= bytesOf(x);
    }
  });
  return { peak, outputs: graph.outputs.reduce((n, { value }) => n + bytesOf(value), 0) };
}

/** Frozen parameters are widened as soon as a run begins, all of them, whenever they are needed (measured, onnxruntime 1.30). */
function inOrder(nodes: readonly Node[]): readonly Node[] {
  const early = (node: Node): boolean => node.attributes['again'] === 1;
  return [...nodes.filter(early), ...nodes.filter(node => !early(node))];
}

function overwritten(
  node: Node,
  at: number,
  last: ReadonlyMap<Value, number>,
  rootOf: (value: Value) => Value,
  made: ReadonlySet<Value>,
  bytesOf: (value: Value) => number,
): Value | undefined {
  if (!overwrites.has(node.op)) return undefined;
  const size = bytesOf(node.outputs[0] as Value);
  return node.inputs.map(rootOf).find(x => made.has(x) && last.get(x) === at && bytesOf(x) === size);
}
