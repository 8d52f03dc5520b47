// Completions as the toy model writes them.

import type { RolloutRecord } from '../../src/protocol/rollout-record';

export function recordOf(step: number, sample: number): RolloutRecord {
  const ids = Array.from({ length: 4 }, (_, i) => (step * 31 + sample * 7 + i * 13) % 600);
  const values = ids.map(id => -id / 100);
  const right = (step + sample) % 5 === 0;
  return {
    step,
    prompt: `<|im_start|>user\n${step % 64}?<|im_end|>\n<|im_start|>assistant\n`,
    completion: ids.map(id => String.fromCodePoint(97 + (id % 26))).join(''),
    scores: { format: (step + sample) % 3 === 0 ? 1 : 0, accuracy: right ? 1 : 0 },
    advantage: sample === 0 ? 1 : -1,
    attempt: 1,
    phase: 'soak',
    phase_step: step,
    source: 'rows',
    example: String(step % 64),
    view: 'text',
    sample,
    group: 0,
    reward: ((step * 7 + sample) % 11) / 10,
    rules_version: null,
    outcome: right ? 'right' : 'wrong',
    answer: String(ids[0]! % 10),
    gold: '1',
    truncated: true,
    prompt_tokens: 20,
    completion_ids: ids,
    offsets: [0, 1, 2, 3],
    logprobs: values,
    train_logprobs: values,
    ref_logprobs: null,
    entropy: values.map(value => -value),
    alternative_ids: null,
    alternative_logprobs: null,
    images: [],
  };
}
