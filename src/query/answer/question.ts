/** What the user asked in a prompt of the ChatML form, without images; the whole prompt where it has no such form. */
export function questionIn(prompt: string): string {
  const open = '<|im_start|>user\n';
  const start = prompt.lastIndexOf(open);
  if (start < 0) return unmarked(prompt);
  const end = prompt.indexOf('<|im_end|>', start);
  const said = prompt.slice(start + open.length, end < 0 ? prompt.length : end);
  return said.replaceAll(/<\|vision_start\|>(?:<\|image_pad\|>)*<\|vision_end\|>/g, '').trim();
}

/** TRL and verl leave the special tokens out: the names of the roles alone are left, each on a line. */
function unmarked(prompt: string): string {
  const end = /\nassistant\n?(?:<think>\n?)?$/.exec(prompt)?.index;
  if (end === undefined) return prompt;
  const open = '\nuser\n';
  const start = `\n${prompt.slice(0, end)}`.lastIndexOf(open);
  return start < 0 ? prompt : prompt.slice(start + open.length - 1, end).trim();
}
