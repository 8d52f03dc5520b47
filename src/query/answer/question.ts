/** What the user asked in a prompt of the ChatML form, without images; the whole prompt where it has no such form. */
export function questionIn(prompt: string): string {
  const open = '<|im_start|>user\n';
  const start = prompt.lastIndexOf(open);
  if (start < 0) return prompt;
  const end = prompt.indexOf('<|im_end|>', start);
  const said = prompt.slice(start + open.length, end < 0 ? prompt.length : end);
  return said.replaceAll(/<\|vision_start\|>(?:<\|image_pad\|>)*<\|vision_end\|>/g, '').trim();
}
