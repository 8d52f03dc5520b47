// Writes a graph as the bytes of an ONNX ModelProto (onnx/onnx.proto, field numbers as there), without a library.

import type { Attribute, Constant, Dim, Graph, Node, Program, Value } from './graph';
import { elementType } from './ops';

const IR_VERSION = 10;
const OPSET = 21;

/** An ONNX model, and where in it its constants lie: others of the same size can be written over them. */
export interface OnnxFile {
  readonly bytes: Uint8Array;
  /** By what they were made of. */
  readonly places: ReadonlyMap<Constant['data'], Uint8Array>;
}

/** Some inputs as constants: the runtime lays out what its products take once, not in every run. */
export function withConstants(graph: Graph, constants: ReadonlyMap<string, Float32Array>): Program {
  return {
    nodes: graph.nodes,
    outputs: graph.outputs,
    inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
    constants: [
      ...graph.constants,
      ...graph.inputs.flatMap(value => {
        const data = constants.get(value.name);
        return data === undefined ? [] : [{ value, data }];
      }),
    ],
  };
}

/** The bytes of the graph as an ONNX model. */
export const writeOnnx = (graph: Program): Uint8Array => onnxFile(graph).bytes;

/** @param fused transposed products in the runtime's own operator for them, which it has on the CPU */
export function onnxFile(graph: Program, fused = false): OnnxFile {
  const body = new Message();
  const nodes = liveNodes(graph);
  // an output must be the result of a node of its own name: the value takes that name where it has no other
  const made = new Set(nodes.flatMap(node => node.outputs));
  const names = new Map<Value, string>();
  for (const { name, value } of graph.outputs) if (made.has(value) && !names.has(value)) names.set(value, name);
  for (const node of nodes.flatMap(fused ? fusedProduct : standard))
    body.message(
      1,
      nodeProto(node, value => names.get(value) ?? value.name),
    );
  for (const { name, value } of graph.outputs) {
    const source = names.get(value) ?? value.name;
    if (source !== name) body.message(1, new Message().text(1, source).text(2, name).text(4, 'Identity'));
  }
  body.text(2, 'triphase');
  for (const constant of graph.constants) body.message(5, tensorProto(constant));
  const widened = new Set(nodes.flatMap(node => (node.attributes['again'] === 1 ? node.inputs : [])));
  for (const input of graph.inputs)
    body.message(11, valueInfo(input.name, widened.has(input) ? unsized(input) : input));
  for (const { name, value } of graph.outputs) body.message(12, valueInfo(name, value));
  const model = new Message()
    .integer(1, IR_VERSION)
    .text(2, 'triphase')
    .message(7, body)
    .message(8, new Message().text(1, '').integer(2, OPSET))
    .message(8, new Message().text(1, CONTRIBUTED).integer(2, 1));
  const starts = new Map<ArrayBufferView, number>();
  const bytes = model.bytes(starts);
  const place = (data: Constant['data']): Uint8Array => {
    const from = starts.get(data) as number;
    return bytes.subarray(from, from + data.byteLength);
  };
  return { bytes, places: new Map(graph.constants.map(({ data }) => [data, place(data)])) };
}

/** The domain of onnxruntime's own operators, and those that we use of it. */
const CONTRIBUTED = 'com.microsoft';
const contributed = new Set(['FusedMatMul', 'GatherBlockQuantized', 'MatMulNBits', 'QuickGelu', 'RotaryEmbedding']);

/** Attributes that steer differentiation and lowering, and are no part of the operator. */
const OURS = new Set(['stop', 'again', 'nibbles']);

/**
 * The nodes that outputs depend on: the runtime would run the others too. It goes back from nodes whose results nobody
 * reads, the last of the file first, and of a node's inputs makes first what comes last (footprint.ts, inOrder). So
 * - those that widen parameters come first: otherwise all parameters were widened before the first product;
 * - those whose results nobody reads come last, in the reverse of the order in which they can be made: otherwise what a
 *   gradient or a figure is made of stays until the end of the run.
 */
export function liveNodes(graph: Program): Node[] {
  const needed = new Set<Value>(graph.outputs.map(({ value }) => value));
  const live: Node[] = [];
  const ends: Node[] = [];
  const read = new Set<Value>();
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(y => needed.has(y))) continue;
    (node.outputs.some(y => read.has(y)) ? live : ends).push(node);
    for (const x of node.inputs) {
      needed.add(x);
      read.add(x);
    }
  }
  live.reverse();
  const given = new Set<Value>([...graph.inputs, ...graph.constants.map(({ value }) => value)]);
  const early = new Set(
    live.filter(node => {
      const widens = node.attributes['again'] === 1 && node.inputs.every(x => given.has(x));
      if (widens) for (const y of node.outputs) given.add(y);
      return widens;
    }),
  );
  return [...early, ...live.filter(node => !early.has(node)), ...ends];
}

/** What the runtime makes of the nodes below when it optimises a graph. */
function fusedProduct(node: Node): Node[] {
  const { op, attributes } = node;
  if (op !== 'MatMul') return [node];
  return [attributes['transA'] || attributes['transB'] ? { ...node, op: 'FusedMatMul' } : { ...node, attributes: {} }];
}

/**
 * ONNX's MatMul has no transposed operands: they become nodes of their own, which the runtime merges into its product
 * again where it has one that takes them.
 */
function standard(node: Node): Node[] {
  if (node.op !== 'MatMul') return [node];
  const nodes: Node[] = [];
  const inputs = node.inputs.map((x, i) => {
    if (node.attributes[i === 0 ? 'transA' : 'transB'] !== 1) return x;
    const n = x.dims.length;
    const perm = [...Array(n - 2).keys(), n - 1, n - 2];
    const out = x.graph.value(
      x.type,
      perm.map(p => x.dims[p] as Dim),
    );
    nodes.push({ op: 'Transpose', inputs: [x], outputs: [out], attributes: { perm } });
    return out;
  });
  return [...nodes, { op: 'MatMul', inputs, outputs: node.outputs, attributes: {} }];
}

function nodeProto(node: Node, nameOf: (value: Value) => string): Message {
  const m = new Message();
  for (const x of node.inputs) m.text(1, nameOf(x));
  for (const y of node.outputs) m.text(2, nameOf(y));
  m.text(4, node.op);
  if (contributed.has(node.op)) m.text(7, CONTRIBUTED);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    if (!OURS.has(name)) m.message(5, attributeProto(name, attribute));
  }
  return m;
}

function attributeProto(name: string, x: Attribute): Message {
  const m = new Message().text(1, name);
  if (typeof x === 'number') return m.integer(3, x).integer(20, 2);
  if (typeof x === 'string') return m.text(4, x).integer(20, 3);
  if ('float' in x) return m.float(2, x.float).integer(20, 1);
  for (const i of x) m.integer(8, i);
  return m.integer(20, 7);
}

function tensorProto({ value, data }: Constant): Message {
  const m = new Message();
  for (const d of value.dims) m.integer(1, d as number);
  return m.integer(2, elementType[value.type]).text(8, value.name).data(9, data);
}

function valueInfo(name: string, value: Value): Message {
  const shape = new Message();
  for (const d of value.dims) shape.message(1, dimension(d));
  const tensor = new Message().integer(1, elementType[value.type]).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/**
 * A parameter that is widened, with its size left out. A value of a size that is known before the run gets the place of one
 * of the same size that is gone, which the runtime holds for it in between: of a model, one of each of its matrices, from
 * the first layer of the forward pass to the last of the backward pass.
 */
const unsized = (value: Value): Value => ({ ...value, dims: value.dims.map(() => UNNAMED) });

const UNNAMED = '*';

// products and sums are left unnamed: the runtime would take their text for one more symbol
function dimension(d: Dim): Message {
  if (typeof d === 'number') return new Message().integer(1, d);
  return /[*+]/.test(d) ? new Message() : new Message().text(2, d);
}

const utf8 = new TextEncoder();

/** A protobuf message under construction (protobuf.dev/programming-guides/encoding). */
class Message {
  private readonly parts: ArrayBufferView[] = [];
  private size = 0;

  private push(part: ArrayBufferView): void {
    this.parts.push(part);
    this.size += part.byteLength;
  }

  private varint(x: number): void {
    const out: number[] = [];
    let n = BigInt.asUintN(64, BigInt(x));
    while (n > 127n) {
      out.push(Number(n & 127n) | 128);
      n >>= 7n;
    }
    out.push(Number(n));
    this.push(Uint8Array.from(out));
  }

  integer(field: number, x: number): this {
    this.varint(field << 3);
    this.varint(x);
    return this;
  }

  float(field: number, x: number): this {
    this.varint((field << 3) | 5);
    this.push(new Uint8Array(Float32Array.of(x).buffer));
    return this;
  }

  /** Elements as they lie in memory. */
  data(field: number, x: ArrayBufferView): this {
    this.varint((field << 3) | 2);
    this.varint(x.byteLength);
    this.push(x);
    return this;
  }

  text(field: number, x: string): this {
    return this.data(field, utf8.encode(x));
  }

  message(field: number, x: Message): this {
    this.varint((field << 3) | 2);
    this.varint(x.size);
    for (const part of x.parts) this.push(part);
    return this;
  }

  /** @param starts filled with where each part begins */
  bytes(starts = new Map<ArrayBufferView, number>()): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      out.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
      starts.set(part, at);
      at += part.byteLength;
    }
    return out;
  }
}
