// Curricula to begin from. Each is a whole file that says what every part is for; model and data are filled in by whoever
// knows where they are.

export interface RecipeFill {
  readonly name: string;
  /** Relative to the new file, or a placeholder. */
  readonly model: string;
  readonly data: string;
  /** The keys of its rows, where they are not called question, answer and image. */
  readonly fields: {
    readonly question?: string;
    readonly answer?: string;
    readonly image?: string;
    readonly caption?: string;
  };
  readonly answer: 'number' | 'string' | 'choice';
}

export interface Recipe {
  readonly id: 'three-phases' | 'images' | 'text' | 'imitate-first';
  readonly title: string;
  readonly detail: string;
  readonly phases: string;
}

export const recipes: readonly Recipe[] = [
  {
    id: 'three-phases',
    title: 'Three phases: text, captioned, image',
    detail: 'Infi-MMR: reason in words first, then about pictures with a caption, then about pictures alone',
    phases: `phases:
  # problems that stand without a picture: a scene in words, or text alone
  - { id: text, view: text, sources: [train], steps: 100 }
  # the picture, and what it shows in words: seeing is still helped
  - { id: captioned, view: captioned, sources: [train], steps: 100 }
  # the picture alone
  - { id: image, view: image, sources: [train], steps: 200 }
`,
  },
  {
    id: 'images',
    title: 'One phase on images',
    detail: 'GRPO on pictures with questions, from the start',
    phases: `phases:
  - { id: image, view: image, sources: [train], steps: 200 }
`,
  },
  {
    id: 'text',
    title: 'One phase on text',
    detail: 'GRPO on problems in words, such as GSM8K',
    phases: `phases:
  - { id: text, view: text, sources: [train], steps: 200 }
`,
  },
  {
    id: 'imitate-first',
    title: 'Imitate, then reinforce',
    detail: 'SFT on written-out answers (a key named target), then GRPO on the same pictures',
    phases: `phases:
  # shows the form of an answer; rows need a key target with the completion to imitate
  - { id: imitate, trainer: sft, view: image, sources: [train], steps: 50 }
  - { id: image, view: image, sources: [train], steps: 200 }
`,
  },
];

export function writeRecipe({ phases, detail }: Recipe, { name, model, data, fields, answer }: RecipeFill): string {
  const named = Object.entries(fields).filter(([, key]) => key !== undefined);
  const where =
    named.length === 0 ? '' : `, fields: { ${named.map(([field, key]) => `${field}: ${quoted(key)}`).join(', ')} }`;
  return `# ${detail}.
# Every key, with what holds where nothing is said: docs/configuration.md. What this file leaves out has a default, and a
# run writes all of them into its folder, as config.resolved.yaml.
name: ${quoted(name)}
# the same seed gives the same run, to the last bit, on the same machine
seed: 1

model:
  # a Hugging Face folder with a Qwen2.5-VL model: config.json, tokenizer, weights
  path: ${quoted(model)}

data:
  # one file, parted: the first nine tenths are trained on, the rest is measured on
  train: { path: ${quoted(data)}, answer: ${answer}${where}, split: { to: 0.9 } }
  test: { path: ${quoted(data)}, answer: ${answer}${where}, split: { from: 0.9 } }

rewards:
  # what is asked for in the system message: <think>…</think>, then <answer>…</answer>
  format: { weight: 0.1 }
  accuracy: { weight: 0.9 }

# answers to each prompt; they are compared with one another, so there must be several
generation: { samples: 8, temperature: 1, max_tokens: 512 }
grpo: { beta: 0.01 }
optimizer: { learning_rate: 1.0e-6 }

${phases}
# before the first phase and after each, on what was not trained on
evaluation: { data: [test], limit: 200 }
checkpoints: { every: 20, keep: 3 }
`;
}

/** YAML's plain form where that is safe. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./][A-Za-z0-9_./ -]*$/.test(text) && !/^(true|false|null|yes|no|on|off|~|[\d.]+)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
