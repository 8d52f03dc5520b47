// The curriculum file: what may stand in it, and what holds where nothing stands. Keys are the field's own terms, as in
// TRL, verl and transformers. Infi-MMR (arXiv 2505.23091) gives the three phases, GRPO with a clipped update and a KL
// penalty against a frozen reference, and a reward of weighted format and accuracy; it does not give their numbers. The
// defaults below are therefore ours, near those of its siblings (LMM-R1, InfiGUI-G1, EasyR1, VL-Cogito).

import { z } from 'zod';
import type { View } from '../protocol/example';
import type { DeepReadonly } from './deep-readonly';
import { fieldSpec } from './fields';
import { grpo } from './grpo';
import { combination, rewardRule, ruleName, ruleTests, ruleWeight } from './reward-rules';
import { OURS, settings } from './settings';

const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'an id is letters, digits, - and _, beginning with a letter or digit');
const fraction = z.number().min(0).max(1);
const beta = z.number().min(0).lt(1);
const count = z.int().min(1);
const seed = z.int().min(0).max(0xffffffff);

export const view = z
  .enum(['text', 'captioned', 'image'])
  .describe(
    'What the model sees: text (question, or the scene in words), captioned (image and caption), image (image alone).',
  );

const answerKind = z
  .enum(['number', 'string', 'choice'])
  .describe('How a final answer is compared with the gold answer.');

export const condition = z.enum(['image_caption', 'image', 'caption', 'question', 'mismatched', 'text']);

export type Condition = z.output<typeof condition>;

const deviceLost = z
  .enum(['retry', 'cpu'])
  .describe(
    'What a run does whose device is lost, back at its last checkpoint: retry goes on there when the device answers again, once between two steps; cpu goes on without it.',
  );

const device = z
  .enum(['auto', 'cpu', 'webgpu', 'dml', 'cuda'])
  .describe(
    'Where graphs run; auto takes the fastest device that is there. A device that is not there falls back to the CPU.',
  );

const model = z
  .strictObject({
    path: z.string().min(1).describe('A Hugging Face folder with a Qwen2.5-VL model.'),
    init: z
      .strictObject({
        seed: seed.default(0).describe('Seed of the random weights.'),
        embedding_std: z.number().positive().default(0.2).describe('Standard deviation of the embeddings.'),
        gain: z.number().positive().default(0.7).describe('A matrix has standard deviation gain / sqrt(inputs).'),
        residual_gain: z
          .number()
          .positive()
          .default(0.4)
          .describe('A further factor for matrices that write into the residual stream.'),
      })
      .optional()
      .describe(`Random weights, where the folder has a config.json but no weights. ${OURS}`),
    freeze: z
      .array(z.enum(['vision']))
      .default([])
      .describe(`Parts that are not trained. ${OURS}`),
    precision: z
      .enum(['f32', 'f16', 'int8', 'int4'])
      .default('f32')
      .describe(
        `How the model lies in memory beside an adapter: float32, float16, or blocks of 32 with 8 or 4 bits each and a scale. All arithmetic, and what is trained, is float32. ${OURS}`,
      ),
    layerwise: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe(
        `Whether layers run one by one on the CPU, so that activations and widened weights of one layer are in memory at a time, which takes longer; auto: where the estimate for one graph is more than the memory of the machine. A resumed run keeps what was chosen. ${OURS}`,
      ),
  })
  .describe('The model that the first phase begins from.');

/** Ends of the names of projections: of both towers, of the language model, of the vision tower. */
const projection = z.enum([
  'gate_proj',
  'up_proj',
  'down_proj',
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'qkv',
  'attn.proj',
  'mlp.0',
  'mlp.2',
]);

const PEFT = 'The default is that of peft.';

const adapter = z
  .strictObject({
    rank: count.default(8).describe(`r: the rank of the change of each projection. ${PEFT}`),
    alpha: z
      .number()
      .positive()
      .default(8)
      .describe(`lora_alpha: the change is scaled by alpha / rank, with rslora by alpha / sqrt(rank). ${PEFT}`),
    dropout: beta
      .default(0)
      .describe(`lora_dropout: the share of its inputs that an adapter does not see in training. ${PEFT}`),
    targets: z
      .union([z.literal('all-linear'), z.array(projection).min(1)])
      .default(['q_proj', 'v_proj'])
      .describe(
        "target_modules: the ends of the names of projections that have an adapter, or all-linear, which is all but the head. The default is peft's for the text model of the family.",
      ),
    rslora: z.boolean().default(false).describe(`use_rslora: rank-stabilised scaling (arXiv 2312.03732). ${PEFT}`),
    vision: z
      .boolean()
      .default(false)
      .describe(`Whether targets are looked for in the vision tower too; without, it is frozen. ${OURS}`),
  })
  .describe(
    'A low-rank adapter (LoRA) is trained and the model itself is frozen. Checkpoints are adapters as peft saves them.',
  );

const prompt = z
  .strictObject({
    system: z
      .string()
      .default(
        'First think about the question between <think> and </think>, then give only the final answer between <answer> and </answer>.',
      )
      .describe(`The system message; empty for none. ${OURS}`),
    text: z
      .string()
      .default('{% if scene %}{{ scene }}\n{% endif %}{{ question }}{% if choices %}{{ "\\n" + choices }}{% endif %}')
      .describe('The user message in the text view: a Jinja template over question, scene, caption and choices.'),
    captioned: z
      .string()
      .default('{{ caption }}\n{{ question }}{% if choices %}{{ "\\n" + choices }}{% endif %}')
      .describe('The same in the captioned view. The images stand before it.'),
    image: z
      .string()
      .default('{{ question }}{% if choices %}{{ "\\n" + choices }}{% endif %}')
      .describe('The same in the image view. The images stand before it.'),
    max_tokens: count
      .default(2048)
      .describe(`Longest prompt, counted after image tokens are expanded; longer ones are an error. ${OURS}`),
  })
  .describe('How an example becomes a prompt.')
  .prefault({});

const field = (what: string) =>
  fieldSpec
    .optional()
    .describe(
      `${what} A dotted path, {path, after, match …}, {template}, {value} or a list of these; default: the key of that name.`,
    );

const fields = z
  .strictObject({
    id: field('Id, unique within the source; without one, the number of the row.'),
    question: field('The question.'),
    answer: field('The gold answer.'),
    image: field('One image: a path, relative to image_folder, or its bytes, in Parquet or base64.'),
    images: field('Several images, in order.'),
    caption: field('What the image shows, in words, for the captioned view.'),
    scene: field('The scene in words, complete enough to answer without the image, for the text view.'),
    target: field('A completion to imitate, for SFT phases.'),
    chosen: field(
      'The preferred of two completions, for DPO and scorer phases; of a list of messages the content of the last.',
    ),
    rejected: field('The other one.'),
    completion: field('A completion to judge, or the list of its steps, for scorer phases.'),
    label: field('How right it is: true or false, or a number from 0 to 1; of steps a list.'),
    choices: field('The options of a multiple-choice question, as a list.'),
    difficulty: field('How hard the question is, as a number, for phases that are ordered by it.'),
  })
  .describe('Where in a row each field of an example is.')
  .prefault({});

const split = z
  .strictObject({
    by: fieldSpec
      .optional()
      .describe('What decides: rows that agree in it are never parted. Default: the id of the example.'),
    from: fraction.default(0).describe('Rows whose hash, in [0, 1), is at least this'),
    to: fraction.default(1).describe('and below this belong to this data.'),
    seed: seed.default(0).describe('Another seed is another split.'),
  })
  .describe('A part of the rows, by hash: disjoint intervals of one seed never share a group.');

const keepOrDrop = z.enum(['keep', 'drop']);

const duplicates = z
  .strictObject({
    within: keepOrDrop.default('keep').describe('Examples that repeat an earlier one of the same data.'),
    across: keepOrDrop.default('keep').describe('Examples that repeat one of data that an earlier source names.'),
    evaluation: keepOrDrop.default('keep').describe('Examples that are also in data that is evaluated.'),
  })
  .describe(
    'Examples that ask the same of the same images: in words but for case, spaces and end marks, in images byte for byte. They are counted; drop takes them out. A source that several phases name does not repeat itself.',
  )
  .prefault({});

export const dataSet = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'JSON lines, JSON, CSV or Parquet; several files by a pattern with * and ?; or a folder, for a folder a row.',
      ),
    rows: z
      .string()
      .min(1)
      .optional()
      .describe('Keys to the list of rows in a JSON file, as `data.examples`; a dot for the file itself.'),
    where: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A Jinja expression over the keys of a row; rows for which it does not hold are not part of this data.',
      ),
    image_folder: z
      .string()
      .min(1)
      .optional()
      .describe('Where relative image paths begin; default: the folder of path.'),
    image_cache: z
      .string()
      .min(1)
      .optional()
      .describe('Where images that stand in the rows are written, once each; default: .cache/images in run.folder.'),
    fields,
    answer: z
      .union([answerKind, z.array(answerKind).min(1)])
      .default('string')
      .describe(
        'How a final answer is compared with the gold answer; of a list, the first as which the gold answer can be read (choice: where the row has choices).',
      ),
    caption_leaks: z
      .enum(['drop', 'keep'])
      .default('drop')
      .describe(
        `A caption that contains the gold answer, where the question does not, is dropped with a count. Keep such captions where answers are short and stand in them by chance. ${OURS}`,
      ),
    duplicates,
    split: split.optional(),
    limit: count.optional().describe('At most so many examples, the first ones; default: all.'),
  })
  .describe('Rows, and how they become examples.');

const generation = settings(
  'How completions are sampled.',
  {
    samples: count.describe(`Rollouts a prompt, the G of GRPO. ${OURS}`),
    temperature: z.number().min(0).describe(`0 is greedy. ${OURS}`),
    max_tokens: count.describe(`Longest completion. ${OURS}`),
    stop: z.array(z.string().min(1)).describe('Texts that end a completion, besides the end-of-turn token.'),
    top_k: z.int().min(0).describe(`Only the so many most likely tokens are drawn; 0: all. ${OURS}`),
    top_p: z
      .number()
      .positive()
      .max(1)
      .describe(`Only the most likely tokens that together reach this probability are drawn. ${OURS}`),
    min_p: fraction.describe(`Only tokens at least this likely, relative to the most likely one, are drawn. ${OURS}`),
    repetition_penalty: z
      .number()
      .positive()
      .describe(
        `Logits of tokens in prompt and completion are divided by it, negative ones multiplied, as in transformers. ${OURS}`,
      ),
    prefix: z.string().describe('A text that every completion begins with. It is part of it, and is not trained.'),
    log_probs: z
      .enum(['plain', 'warped'])
      .describe(
        'What the recorded log-probabilities of generation are of: softmax(logits / temperature), which is trained, or the distribution after penalty, top_k, top_p and min_p.',
      ),
    record_alternatives: z
      .int()
      .min(0)
      .max(100)
      .describe(
        `So many of the most likely tokens are written down at each place of a rollout, with their log-probabilities; 0: none. ${OURS}`,
      ),
    remove_ended: fraction.describe(
      `Completions that have ended leave the batch when at least this share of it can go; 0: they stay. Saves time where lengths differ; the shape of products may change how they round. ${OURS}`,
    ),
  },
  {
    samples: 8,
    temperature: 1,
    max_tokens: 1024,
    stop: [],
    top_k: 0,
    top_p: 1,
    min_p: 0,
    repetition_penalty: 1,
    prefix: '',
    log_probs: 'plain',
    record_alternatives: 5,
    remove_ended: 0.25,
  },
);

const optimizer = settings(
  'AdamW with decoupled weight decay.',
  {
    learning_rate: z.number().positive().describe(OURS),
    betas: z.tuple([beta, beta]).describe(OURS),
    eps: z.number().positive().describe(OURS),
    weight_decay: z.number().min(0).describe(OURS),
    max_grad_norm: z.number().positive().describe(`Gradients are scaled down to this global norm. ${OURS}`),
    warmup_steps: z.int().min(0).describe(`Linear warm-up, in steps of each phase. ${OURS}`),
    schedule: z.enum(['constant', 'linear', 'cosine']).describe(`Learning rate over the steps of a phase. ${OURS}`),
    final_ratio: fraction.describe(`Learning rate at the end of a phase, as a share of learning_rate. ${OURS}`),
    reset: z.boolean().describe(`Begin each phase with fresh moments. ${OURS}`),
    groups: z
      .array(
        z.strictObject({
          match: z
            .string()
            .min(1)
            .describe(
              'A regular expression over parameter names as transformers has them: visual, layers\\.0\\., bias$.',
            ),
          learning_rate_ratio: z.number().min(0).default(1).describe('Factor on the learning rate.'),
          weight_decay: z.boolean().default(true).describe('Whether weight decay is applied.'),
        }),
      )
      .describe(`Parameters that are treated apart; the first group that matches holds. ${OURS}`),
  },
  {
    learning_rate: 1e-6,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weight_decay: 0.01,
    max_grad_norm: 1,
    warmup_steps: 0,
    schedule: 'constant',
    final_ratio: 0,
    reset: true,
    groups: [],
  },
);

const dpo = settings(
  'Direct preference optimisation (arXiv 2305.18290), of phases with trainer dpo.',
  {
    beta: z.number().positive().describe('Weight of the divergence from the reference; that of TRL.'),
    label_smoothing: z
      .number()
      .min(0)
      .lt(0.5)
      .describe('Share of pairs that are taken to be the wrong way round (cDPO); that of TRL.'),
    reference: z
      .enum(['base', 'previous', 'follow'])
      .describe('The reference, as in grpo; TRL takes the model that training begins from, which is previous.'),
  },
  { beta: 0.1, label_smoothing: 0, reference: 'previous' },
);

const scorer = settings(
  'A head that gives completions a score, trained by binary cross-entropy, of phases with trainer scorer.',
  {
    train: z
      .enum(['all', 'head'])
      .describe(`What learns: the model with the head, or the head alone, which leaves the policy as it is. ${OURS}`),
  },
  { train: 'all' },
);

const weight = z.number().min(0).describe('Share of this rule in the reward; 0 keeps the score and pays nothing.');
const tag = z.string().regex(/^[A-Za-z][\w-]*$/, 'a tag is its name alone, as answer');

const FORMAT = 'Pays 1 for a completion of the asked form, 0 for any other.';
const ACCURACY = 'Pays 1 for a final answer that equals the gold answer, 0 for any other.';

const format = settings(
  FORMAT,
  {
    weight: weight.describe(`${weight.description} ${OURS}`),
    tags: z
      .array(tag)
      .min(1)
      .describe(
        `The completion is exactly these elements, each once, in this order, none empty, nothing else. ${OURS}`,
      ),
    pattern: z
      .string()
      .describe('A regular expression that the whole completion must match, instead of tags; empty for none.'),
  },
  { weight: 0.1, tags: ['think', 'answer'], pattern: '' },
);

const accuracy = settings(
  ACCURACY,
  {
    weight: weight.describe(`${weight.description} ${OURS}`),
    tag: tag.describe(`The final answer is what the last element of this name holds. ${OURS}`),
  },
  { weight: 0.9, tag: 'answer' },
);

export const rewardsSchema = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe('A YAML file with rewards that several configs name; what stands here comes over it, rule by rule.'),
    format: format.full.unwrap().extend({ tests: ruleTests }).describe(FORMAT).prefault({}),
    accuracy: accuracy.full.unwrap().extend({ tests: ruleTests }).describe(ACCURACY).prefault({}),
    rules: z.record(ruleName, rewardRule).default({}).describe('Further rules, by name.'),
    combine: combination.prefault({}),
  })
  .describe('The reward of a completion: scores of rules, weighted and combined.')
  .prefault({});

export const rewardsPartSchema = z
  .strictObject({
    format: format.part.optional(),
    accuracy: accuracy.part.optional(),
    use: z.array(z.string()).optional().describe('Names of the rules that are asked in this phase; default: all.'),
    rules: z
      .record(z.string(), z.strictObject({ weight: ruleWeight.optional() }))
      .optional()
      .describe('Weights of rules in this phase, by name.'),
  })
  .describe('What is left out is as at the top of the file.');

const source = z.union([
  z.string().min(1),
  z.strictObject({
    data: z.string().min(1).describe('An id of data.'),
    view: view.optional().describe('Default: the view of the phase.'),
    weight: z.number().positive().default(1).describe('How often, relative to the other sources.'),
  }),
]);

const order = z
  .strictObject({
    by: z
      .enum(['seed', 'difficulty', 'pass_rate'])
      .default('seed')
      .describe(
        'At random by the seed; by the difficulty field of the data; or by the share of completions that the model gets right as the phase begins.',
      ),
    first: z.enum(['easy', 'hard']).default('easy').describe(`What comes first; equals are in random order. ${OURS}`),
    samples: count.default(4).describe(`Completions an example for its pass rate. ${OURS}`),
    from: fraction.default(0).describe('Examples with a pass rate below this are left out of the phase'),
    to: fraction
      .default(1)
      .describe('and so are those above this: groups that are all right or all wrong teach nothing.'),
  })
  .describe('The order in which a phase goes through the examples of each source.')
  .prefault({});

const promotion = z
  .strictObject({
    by: z
      .enum(['steps', 'plateau', 'target'])
      .default('steps')
      .describe(
        'What ends the phase: its steps; an evaluation that no longer rises; one that has reached the target. The phase never takes more than its steps.',
      ),
    metric: z
      .enum(['accuracy', 'format_rate'])
      .default('accuracy')
      .describe('The figure of the evaluation that is watched.'),
    condition: condition
      .optional()
      .describe('The condition that is watched; default: what the view of the phase shows.'),
    source: z.string().min(1).optional().describe('The data of evaluation that is watched; default: all together.'),
    every: count
      .default(20)
      .describe(`Steps between these evaluations, which are of the watched condition and data alone. ${OURS}`),
    patience: count
      .default(3)
      .describe(`Of plateau: so many evaluations in a row without a rise end the phase. ${OURS}`),
    min_delta: z.number().min(0).default(0).describe(`Of plateau: a rise is more than this. ${OURS}`),
    target: fraction.default(1).describe(`Of target: the value that ends the phase. ${OURS}`),
    carry: z
      .enum(['last', 'best'])
      .default('last')
      .describe(
        `The model that goes on: that of the last step, or the one with the best of these evaluations (VL-Cogito carries the best). ${OURS}`,
      ),
  })
  .describe('When a phase is over before its last step, and which model goes on from it.')
  .prefault({});

const phase = z
  .strictObject({
    id: id.describe('Names the phase in charts, folders and on the command line.'),
    trainer: z
      .enum(['sft', 'grpo', 'dpo', 'scorer'])
      .default('grpo')
      .describe(
        'Imitate targets; learn from rewards; learn from preferences; or learn to score, by a head beside that of the next token.',
      ),
    view,
    sources: z.array(source).min(1).describe('Ids of data, or {data, view, weight}.'),
    steps: count.describe('Optimiser steps.'),
    promotion,
    prompts: count.default(32).describe(`Prompts a step. ${OURS}`),
    order,
    generation: generation.part.optional(),
    grpo: grpo.part.optional(),
    optimizer: optimizer.part.optional(),
    dpo: dpo.part.optional(),
    scorer: scorer.part.optional(),
    rewards: rewardsPartSchema.optional(),
  })
  .describe('One phase; it begins from the model that the phase before it ended with.');

const evaluation = z
  .strictObject({
    data: z.array(z.string().min(1)).default([]).describe('Ids of data that are evaluated; none: no evaluation.'),
    limit: count.optional().describe('At most so many examples of each; default: all.'),
    samples: count.default(1).describe(`Completions an example. ${OURS}`),
    temperature: z.number().min(0).default(0).describe(`0 is greedy. ${OURS}`),
    conditions: z
      .array(condition)
      .min(1)
      .default(['image_caption', 'image', 'caption', 'question', 'mismatched'])
      .describe(
        'What is shown: the differences between the first five are the language-bias figures; text is what text phases show, for data without images or with scenes.',
      ),
    every: z
      .int()
      .min(0)
      .default(0)
      .describe('Also every so many steps; 0: only before the first phase and after each.'),
  })
  .describe('Evaluation before the first phase and after each.')
  .prefault({});

const checkpoints = z
  .strictObject({
    every: z.int().min(0).default(20).describe('Steps between checkpoints; 0: only at the end of a phase.'),
    keep: z.int().min(1).default(3).describe('So many of the newest stay; those at the end of a phase always do.'),
  })
  .describe('What is kept of the model on the way.')
  .prefault({});

export const curriculumSchema = z
  .strictObject({
    name: z.string().min(1).optional().describe('Shown in lists of runs; default: the name of the folder of the file.'),
    seed: seed.default(0).describe('All randomness of a run comes from it.'),
    model,
    adapter: adapter.optional(),
    device: device.default('auto'),
    device_lost: deviceLost.default('retry'),
    threads: z.int().min(0).default(0).describe('Threads on the CPU; 0: as many as there are cores.'),
    replicas: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'Copies of the model that compute side by side on the CPU, each with its share of a batch and of the threads; 0: of models of up to 32 million parameters one for each thread, of larger ones one. Numbers repeat bit for bit for the same number of them.',
      ),
    prompt,
    data: z.record(id, dataSet).describe('Data by id.'),
    rewards: rewardsSchema,
    generation: generation.full,
    grpo: grpo.full,
    optimizer: optimizer.full,
    dpo: dpo.full,
    scorer: scorer.full,
    phases: z.array(phase).min(1).describe('The phases, in order.'),
    evaluation,
    checkpoints,
    run: z
      .strictObject({
        folder: z.string().min(1).default('runs').describe('Where run folders are made.'),
        from: z
          .string()
          .min(1)
          .optional()
          .describe(
            'A checkpoint of another run, which this one begins from: its model, its optimiser and its step. What comes after that step is of this file.',
          ),
      })
      .describe('Where runs go, and where they begin.')
      .prefault({}),
  })
  .describe('A Triphase curriculum.');

/** As the schema gives it: defaults filled in, paths and sources as written. */
export type ParsedCurriculum = z.output<typeof curriculumSchema>;

export interface PhaseSource {
  readonly data: string;
  readonly view: View;
  readonly weight: number;
}

export type Phase = DeepReadonly<Omit<ParsedCurriculum['phases'][number], 'sources'>> & {
  readonly sources: readonly PhaseSource[];
};
export type DataSet = DeepReadonly<Omit<ParsedCurriculum['data'][string], 'image_folder' | 'image_cache'>> & {
  readonly image_folder: string;
  readonly image_cache: string;
};
/** As a run follows it: paths absolute, every source with its view. */
export type Curriculum = DeepReadonly<Omit<ParsedCurriculum, 'name' | 'data' | 'phases'>> & {
  readonly name: string;
  readonly data: Readonly<Record<string, DataSet>>;
  readonly phases: readonly Phase[];
};

/** What a phase may override. */
export type PhaseSettings = Pick<Curriculum, 'generation' | 'grpo' | 'optimizer' | 'dpo' | 'scorer' | 'rewards'>;

/** The JSON Schema of a curriculum file, for editors. */
export function curriculumJsonSchema(): object {
  return z.toJSONSchema(curriculumSchema, { io: 'input', target: 'draft-7' });
}
