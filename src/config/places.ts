// Where in a YAML file a value stands.

import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { Place } from '../protocol/errors';

export type KeyPath = readonly (string | number)[];

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

/** A key or value in one file by its path from the root. */
export class YamlPlaces {
  constructor(
    private readonly file: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** Of the value at the path or, where there is none, of the nearest thing around it. */
  value(path: KeyPath): Place {
    const { found, rest } = this.walk(path);
    // a missing key is looked for at the key of what should hold it
    return this.at(rest === 0 ? (found.value ?? found.key) : (found.key ?? found.value));
  }

  /** Of the key itself. */
  key(path: KeyPath): Place {
    const { found } = this.walk(path);
    return this.at(found.key ?? found.value);
  }

  offset(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  private at(node: Node | undefined): Place {
    return this.offset(node?.range?.[0] ?? 0);
  }

  private walk(path: KeyPath): { found: Found; rest: number } {
    let found: Found = { key: undefined, value: this.resolve(this.document.contents) };
    for (const [depth, part] of path.entries()) {
      const next = this.child(found.value, part);
      if (next === undefined) return { found, rest: path.length - depth };
      found = next;
    }
    return { found, rest: 0 };
  }

  private child(parent: Node | undefined, part: string | number): Found | undefined {
    if (isSeq(parent)) {
      const item = parent.items[Number(part)];
      return item === undefined ? undefined : { key: undefined, value: this.resolve(item) };
    }
    if (!isMap(parent)) return undefined;
    let merged: Found | undefined;
    for (const { key, value } of parent.items) {
      if (!isScalar(key)) continue;
      if (String(key.value) === String(part)) return { key, value: this.resolve(value) };
      if (key.value === '<<' || key.source === '<<') merged = this.child(this.resolve(value), part) ?? merged;
    }
    return merged;
  }

  private resolve(node: unknown): Node | undefined {
    if (isAlias(node)) return node.resolve(this.document);
    return isPair(node) ? undefined : ((node as Node | null) ?? undefined);
  }
}
