/** The first UTF-16 units of a text, without half a character at the end. */
export function cutText(text: string, units: number | undefined): { readonly text: string; readonly cut: boolean } {
  if (units === undefined || text.length <= units) return { text, cut: false };
  const half = /[\ud800-\udbff]/.test(text[units - 1] ?? '');
  return { text: text.slice(0, half ? units - 1 : units), cut: true };
}
