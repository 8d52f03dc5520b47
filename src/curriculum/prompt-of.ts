import type { RenderedPrompt } from '../rollout/prompter';
import type { RunContext } from './context';
import type { Shown } from './order';

/** The prompt of an example in the view of its phase. */
export async function promptOf(
  { prompter, userMessage, config }: Pick<RunContext, 'prompter' | 'userMessage' | 'config'>,
  { example, view }: Shown,
): Promise<RenderedPrompt> {
  const images = view === 'text' ? [] : await Promise.all(example.images.map(file => prompter.image(file)));
  return prompter.encode(config.prompt.system, userMessage(example, view), images, config.prompt.max_tokens);
}
