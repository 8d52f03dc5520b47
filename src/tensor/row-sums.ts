// The gradient of an embedding adds rows at indices that repeat. ScatterElements does that element by element, with an index
// for each. ScatterND adds whole rows, a tenth of the time, but loses additions where several threads work on it (measured,
// onnxruntime 1.30): it is for sessions of one thread.

import type { Dim, Node, Program, Value } from './graph';
import { elementType } from './ops';

/** The same program with rows added as rows (ops.ts, scatterAddRows). */
export function rowsAddedWhole(program: Program): Program {
  const maker = new Map<Value, Node>();
  for (const node of program.nodes) for (const y of node.outputs) maker.set(y, node);
  return {
    ...program,
    nodes: program.nodes.flatMap(node => {
      const [table, byElement, rows] = node.inputs as [Value, Value, Value];
      if (node.op !== 'ScatterElements' || node.attributes['axis'] !== 0) return [node];
      // one index a row, repeated for its elements
      const expanded = maker.get(byElement);
      const [column] = expanded?.op === 'Expand' ? (expanded.inputs as [Value]) : [];
      if (column?.dims[1] !== 1 || column.dims[0] !== rows.dims[0]) return [node];
      const index = column.graph.value('int64', column.dims as readonly Dim[]);
      return [
        { op: 'Cast', inputs: [column], outputs: [index], attributes: { to: elementType.int64 } },
        { op: 'ScatterND', inputs: [table, index, rows], outputs: node.outputs, attributes: { reduction: 'add' } },
      ];
    }),
  };
}
