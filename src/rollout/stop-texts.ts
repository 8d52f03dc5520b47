// Texts that end a completion, looked for after every token in as much of its end as could hold them: the work of a
// token does not grow with the completion.

/** Bytes of a character of UTF-8; the first token looked at may hold the last of them only. */
const CHARACTER = 4;

export class StopTexts {
  private readonly longest: number;
  private readonly silent = new Map<number, boolean>();

  /** @param decode tokens to text, as the completion will be read */
  constructor(
    readonly texts: readonly string[],
    private readonly decode: (tokenIds: readonly number[]) => string,
  ) {
    this.longest = Math.max(0, ...texts.map(text => Buffer.byteLength(text))) + CHARACTER;
  }

  /** Whether one of the texts has come about with the last token. */
  endIn(tokenIds: readonly number[]): boolean {
    if (this.texts.length === 0) return false;
    // a token that says anything says a byte at least; those that say nothing do not count
    let from = tokenIds.length;
    for (let said = 0; from > 0 && said < this.longest; ) {
      from--;
      if (!this.isSilent(tokenIds[from] as number)) said++;
    }
    const text = this.decode(tokenIds.slice(from));
    return this.texts.some(stop => text.includes(stop));
  }

  private isSilent(token: number): boolean {
    let known = this.silent.get(token);
    if (known === undefined) {
      known = this.decode([token]) === '';
      this.silent.set(token, known);
    }
    return known;
  }
}
