// What the driver of NVIDIA's cards says of them: WebGPU itself tells neither memory nor load.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface GraphicsCard {
  readonly name: string;
  /** MiB, of all programs together. */
  readonly usedMiB: number;
  readonly totalMiB: number;
  /** Share of the last moments in which it computed. */
  readonly busy: number;
}

/** None where there is no such driver, or where it does not answer. */
export async function graphicsCards(): Promise<readonly GraphicsCard[]> {
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      ['--query-gpu=memory.used,memory.total,utilization.gpu,name', '--format=csv,noheader,nounits'],
      { timeout: 5000 },
    );
    return readCards(stdout);
  } catch {
    return [];
  }
}

/** @param lines "1024, 143771, 37, NVIDIA H200" */
export function readCards(lines: string): GraphicsCard[] {
  return lines.split('\n').flatMap(line => {
    const [used, total, busy, ...name] = line.split(',').map(cell => cell.trim());
    const [usedMiB, totalMiB] = [Number(used), Number(total)];
    // a card that does not measure its load says "[N/A]"
    return name.length === 0 || !(totalMiB > 0)
      ? []
      : [{ name: name.join(', '), usedMiB, totalMiB, busy: (Number(busy) || 0) / 100 }];
  });
}

const gib = (mib: number): string => `${(mib / 1024).toFixed(1)} GiB`;

/** "NVIDIA H200, 1.0 of 140.4 GiB in use, 37% busy" */
export const cardInWords = ({ name, usedMiB, totalMiB, busy }: GraphicsCard): string =>
  `${name}, ${(usedMiB / 1024).toFixed(1)} of ${gib(totalMiB)} in use, ${Math.round(100 * busy)}% busy`;
