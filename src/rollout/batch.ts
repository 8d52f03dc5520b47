// Which completion is in which row of the batch. Rows lie by prompt, as many for each: [prompts, group].

/** Another batch, in positions of the one before. */
export interface Kept {
  /** Positions of the prompts that stay. */
  readonly prompts: readonly number[];
  readonly group: number;
  /** The row that each new row was. */
  readonly rows: readonly number[];
}

export class Batch {
  /** By position: the prompt, as a number among all prompts. */
  prompts: readonly number[];
  /** By row: the completion, as a number among all completions. */
  completions: readonly number[];
  /** By completion, its row; those that have left have none. Another map after each `keep`. */
  rows: ReadonlyMap<number, number>;

  constructor(
    prompts: number,
    /** Rows a prompt. */
    public group: number,
    /** Completions a prompt; the first of them have rows. */
    samples = group,
  ) {
    this.prompts = [...Array(prompts).keys()];
    this.completions = this.prompts.flatMap(b => Array.from({ length: group }, (_, g) => b * samples + g));
    this.rows = new Map(this.completions.map((completion, row) => [completion, row]));
  }

  /** undefined: the completion has left. */
  rowOf(completion: number): number | undefined {
    return this.rows.get(completion);
  }

  /**
   * The smallest batch that holds all that go on: prompts without such a completion go; the others keep as many rows as
   * the one with the most needs, filled with completions that have ended.
   *
   * @param least rows a prompt keeps at least, where it has them; the batch keeps two in any case
   */
  without(ended: (completion: number) => boolean, least: number): Kept {
    const { group } = this;
    const byPrompt = this.prompts.map((_, b) => {
      const rows = Array.from({ length: group }, (_, g) => b * group + g);
      const goes = (row: number): boolean => ended(this.completions[row] as number);
      return { going: rows.filter(row => !goes(row)), done: rows.filter(goes) };
    });
    const prompts = [...byPrompt.keys()].filter(b => byPrompt[b]?.going.length !== 0);
    const atLeast = prompts.length === 1 ? 2 : least;
    const size = Math.min(group, Math.max(atLeast, ...byPrompt.map(p => p.going.length)));
    const rows = prompts.flatMap(b => {
      const { going, done } = byPrompt[b] as (typeof byPrompt)[number];
      return [...going, ...done].slice(0, size).sort((x, y) => x - y);
    });
    return { prompts, group: size, rows };
  }

  /** A row goes to another completion. */
  put(row: number, completion: number): void {
    this.completions = this.completions.with(row, completion);
    this.rows = new Map(this.completions.map((held, at) => [held, at]));
  }

  keep({ prompts, group, rows }: Kept): void {
    this.prompts = prompts.map(b => this.prompts[b] as number);
    this.completions = rows.map(row => this.completions[row] as number);
    this.rows = new Map(this.completions.map((completion, row) => [completion, row]));
    this.group = group;
  }
}
