// Which run the rollouts are of: its name, or where there are others a list of them.

import type { RunSummary } from '../../src/protocol/query';
import { dropdown } from '../components/controls';
import { h } from '../dom';
import type { Host } from '../host';
import { t } from '../words';
import type { NamedRun } from './comparison';

export class RunChooser {
  private readonly plain = h('span', { class: 'run-name' });
  private readonly choice: ReturnType<typeof dropdown>;
  readonly elements: readonly HTMLElement[];
  private own: NamedRun | undefined;

  constructor(
    private readonly host: Host,
    choose: (folder: string) => void,
  ) {
    this.choice = dropdown(t('Run'), choose);
    this.elements = [this.plain, this.choice.element];
  }

  name({ folder, name }: Pick<RunSummary, 'folder' | 'name'>): void {
    this.own = { folder, name };
    this.plain.textContent = name;
    this.plain.title = folder;
  }

  /** @returns the one that is shown, those that were asked for beside it, and all others that are known */
  async ask([folder = '', ...beside]: readonly string[]): Promise<readonly NamedRun[]> {
    const known = await this.host.request('runs', null).catch(() => []);
    const own = this.own?.folder === folder ? this.own : { folder, name: folder };
    const chosen = beside.map(one => known.find(run => run.folder === one) ?? { folder: one, name: one });
    const rest = known.filter(run => run.folder !== folder && !beside.includes(run.folder));
    const runs = [own, ...chosen, ...rest];
    this.choice.element.hidden = runs.length < 2;
    this.plain.hidden = runs.length >= 2;
    this.choice.offer(
      runs.map(run => ({ value: run.folder, label: run.name })),
      folder,
    );
    return runs;
  }
}
