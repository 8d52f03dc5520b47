// A YAML file as an editor sees it: often half written. What parses is there, with where it stands.

import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { KeyPath } from '../config/places';

/** UTF-16 offsets into the text; the end is behind the last character. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export interface TextEdit extends TextRange {
  readonly text: string;
}

/** A key or a value under the cursor. */
export interface Spot {
  readonly path: KeyPath;
  readonly on: 'key' | 'value';
  readonly range: TextRange;
}

export interface Entry {
  readonly key: string;
  readonly keyRange: TextRange;
  readonly value: Node | undefined;
}

export class YamlSource {
  private readonly lines = new LineCounter();
  readonly document;

  private static latest: YamlSource | undefined;

  /** The same for the same text: an editor asks several things of one version of a file. */
  static of(text: string): YamlSource {
    if (YamlSource.latest?.text !== text) YamlSource.latest = new YamlSource(text);
    return YamlSource.latest;
  }

  constructor(readonly text: string) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, merge: true });
  }

  /** Line and column, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Of a line and column that count from 1. */
  offset(line: number, column: number): number {
    return (this.lines.lineStarts[line - 1] ?? 0) + column - 1;
  }

  /** What stands at the offset; undefined in the space between. */
  at(offset: number): Spot | undefined {
    return this.find(this.root, offset, []);
  }

  /** The node at a path; an alias is followed. */
  node(path: KeyPath): Node | undefined {
    return path.reduce<Node | undefined>((parent, part) => this.child(parent, part)?.value, this.root);
  }

  /** The value at a path as data; undefined where there is none. */
  value(path: KeyPath): unknown {
    const node = this.node(path);
    return node === undefined ? undefined : toJs(node, this.document);
  }

  keyRange(path: KeyPath): TextRange | undefined {
    return this.child(this.node(path.slice(0, -1)), path.at(-1) ?? '')?.keyRange;
  }

  valueRange(path: KeyPath): TextRange | undefined {
    const node = this.node(path);
    return node === undefined ? undefined : rangeOf(node);
  }

  /** The entries of the mapping at a path, in the order of the file; none where there is no mapping. */
  entries(path: KeyPath): readonly Entry[] {
    const node = this.node(path);
    if (!isMap(node)) return [];
    return node.items.flatMap(({ key, value }) =>
      isScalar(key) ? [{ key: String(key.value), keyRange: rangeOf(key), value: this.resolve(value) }] : [],
    );
  }

  /** How many items the list at a path has; 0 where there is no list. */
  length(path: KeyPath): number {
    const node = this.node(path);
    return isSeq(node) ? node.items.length : 0;
  }

  /** What begins at an offset, on its first line, for diagnostics that know only where something begins; not empty. */
  tokenAt(offset: number): TextRange {
    const start = Math.max(0, Math.min(offset, this.text.length - 1));
    const spot = this.at(start);
    const word = /^[^\s,:{}[\]]+/.exec(this.text.slice(start))?.[0] ?? '';
    const range = spot?.range.start === start ? firstLine(this.text, spot.range) : { start, end: start + word.length };
    return { start, end: Math.min(this.text.length, Math.max(range.end, start + 1)) };
  }

  private get root(): Node | undefined {
    return (this.document.contents as Node | null) ?? undefined;
  }

  private find(node: Node | undefined, offset: number, path: KeyPath): Spot | undefined {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key)) continue;
        const here = [...path, String(key.value)];
        if (covers(key, offset)) return { path: here, on: 'key', range: rangeOf(key) };
        if (isNode(value) && covers(value, offset)) return this.find(value, offset, here);
      }
      return undefined;
    }
    if (isSeq(node)) {
      const index = node.items.findIndex(item => isNode(item) && covers(item, offset));
      return index < 0 ? undefined : this.find(node.items[index] as Node, offset, [...path, index]);
    }
    return node !== undefined && covers(node, offset) ? { path, on: 'value', range: rangeOf(node) } : undefined;
  }

  private child(
    parent: Node | undefined,
    part: string | number,
  ): { readonly keyRange: TextRange | undefined; readonly value: Node | undefined } | undefined {
    if (isSeq(parent)) return { keyRange: undefined, value: this.resolve(parent.items[Number(part)]) };
    if (!isMap(parent)) return undefined;
    for (const { key, value } of parent.items)
      if (isScalar(key) && String(key.value) === String(part))
        return { keyRange: rangeOf(key), value: this.resolve(value) };
    return undefined;
  }

  private resolve(node: unknown): Node | undefined {
    if (isAlias(node)) return node.resolve(this.document);
    return isNode(node) ? node : undefined;
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !isPair(value) && 'range' in value;

function rangeOf(node: Node): TextRange {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

function covers(node: Node, offset: number): boolean {
  const { start, end } = rangeOf(node);
  return start <= offset && offset <= end;
}

function firstLine(text: string, { start, end }: TextRange): TextRange {
  const stop = text.indexOf('\n', start);
  return { start, end: stop < 0 ? end : Math.min(end, stop) };
}

function toJs(node: Node, document: YamlSource['document']): unknown {
  try {
    return node.toJS(document);
  } catch {
    // an alias without its anchor, as while one types
    return undefined;
  }
}
