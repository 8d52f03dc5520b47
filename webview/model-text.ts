// Text that a model or a file wrote, made safe to look at: it only ever becomes text nodes, what cannot be seen is shown
// by a sign in its place, and what turns the direction of text round is shown as well and cannot reach beyond its element.

/** Shown at most at once; a line of megabytes would hold up the layout. */
const mostShown = 20_000;

// C0 and C1 controls but tab and newline, marks of direction, invisible joiners, line separators, the byte order mark,
// tags, and halves of surrogate pairs that stand alone
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/u;

/** Scripts whose words are written with joiners: there they belong to the spelling. */
const joining =
  '\\p{sc=Arab}\\p{sc=Syrc}\\p{sc=Deva}\\p{sc=Beng}\\p{sc=Guru}\\p{sc=Gujr}\\p{sc=Orya}\\p{sc=Taml}\\p{sc=Telu}\\p{sc=Knda}\\p{sc=Mlym}\\p{sc=Sinh}';
/** One sign of several pictures: a family, a profession. */
const emoji = '\\p{Extended_Pictographic}';
const belongs = `(?<=[${joining}])[\u200c\u200d]|[\u200c\u200d](?=[${joining}])|(?<=[${emoji}\\ufe0f\\u{1f3fb}-\\u{1f3ff}])\u200d(?=${emoji})`;
const unseen = new RegExp(`${hidden.source}|(?!${belongs})[\\u200c\\u200d]`, 'gu');

const pictures: Readonly<Record<string, string>> = { '\r': '␍', '\u007f': '␡' };

function sign(character: string): string {
  const code = character.codePointAt(0) as number;
  if (pictures[character] !== undefined) return pictures[character];
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A node with as many UTF-16 units of the text as it stands for. */
export interface ModelPart {
  readonly node: Text | HTMLElement;
  readonly units: number;
}

/**
 * Nodes for the text: plain text, and small marked signs where a character cannot be seen. The element that they are put
 * in should have the class `model-text`, which isolates its direction.
 * @param most so many characters; what is left out is counted in a last sign
 */
export function modelText(text: string, most = mostShown): readonly (Text | HTMLElement)[] {
  return modelParts(text, most).map(({ node }) => node);
}

/** The same with the place of each node in the text: they follow one another. */
export function modelParts(text: string, most = mostShown): readonly ModelPart[] {
  const parts: ModelPart[] = [];
  const shown = text.length > most ? text.slice(0, most) : text;
  const plain = (from: number, to: number): void => {
    if (to > from) parts.push({ node: document.createTextNode(shown.slice(from, to)), units: to - from });
  };
  let end = 0;
  for (const match of shown.matchAll(unseen)) {
    plain(end, match.index);
    parts.push({ node: unseenSign(sign(match[0])), units: match[0].length });
    end = match.index + match[0].length;
  }
  plain(end, shown.length);
  const left = text.length - shown.length;
  if (left > 0) parts.push({ node: unseenSign(`… ${left.toLocaleString('en')} more characters`), units: left });
  return parts;
}

/** One line of plain text for a label or a title. */
export function modelLine(text: string, most = 200): string {
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  return shown.replace(unseen, sign).replace(/\s+/g, ' ');
}

function unseenSign(text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'unseen';
  element.textContent = text;
  return element;
}
