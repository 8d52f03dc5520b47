// A rollout of which a test cares for a few columns only.

import type { RolloutRecord } from '../../src/protocol/rollout-record';

export function rollout(columns: Partial<RolloutRecord>): RolloutRecord {
  return {
    step: 1,
    prompt: 'How many circles?',
    completion: '<think>one, two</think><answer>2</answer>',
    scores: { format: 1, accuracy: 0 },
    advantage: -0.5,
    attempt: 1,
    phase: 'text',
    phase_step: 1,
    source: 'rows',
    example: 'row-1',
    view: 'text',
    sample: 0,
    group: 0,
    reward: 0.1,
    rules_version: 1,
    outcome: 'wrong',
    answer: '2',
    gold: '3',
    truncated: false,
    prompt_tokens: 12,
    completion_ids: [5, 6, 7],
    offsets: [0, 7, 15],
    logprobs: [-0.5, -1.25, 0],
    train_logprobs: null,
    ref_logprobs: null,
    entropy: [0.5, 1.5, 0],
    alternative_ids: [[5, 9], [1, 6, 2], [7]],
    alternative_logprobs: [[-0.5, -1.5], [-0.5, -1.25, -3], [0]],
    images: [],
    ...columns,
  };
}
