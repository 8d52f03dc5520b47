// Where the runtime ran each node, by the profile that it wrote.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

interface Event {
  readonly cat?: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

export interface Placements {
  readonly graph: string;
  readonly device: number;
  /** Operators that ran on the CPU, and copies between it and the device. */
  readonly cpu: readonly string[];
}

/** Reads, and removes, the profiles PREFIX-GRAPH_TIME.json of a folder. */
export function placements(folder: string): Placements[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .map(name => {
      const file = path.join(folder, name);
      const events = JSON.parse(readFileSync(file, 'utf8')) as readonly Event[];
      rmSync(file);
      const nodes = events.flatMap(({ cat, args }) => (cat === 'Node' && args?.provider !== undefined ? [args] : []));
      const away = nodes.filter(
        ({ provider, op_name }) => provider !== 'WebGpuExecutionProvider' || op_name?.startsWith('Memcpy') === true,
      );
      return {
        graph: name.replace(/_\d{4}-.*$/, ''),
        device: nodes.length - away.length,
        cpu: away.map(({ op_name }) => op_name ?? '?'),
      };
    });
}
