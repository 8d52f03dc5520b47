// What the schema cannot see: ids that nothing has, files that are not there, settings that contradict each other.
// Works on the file as read, so that these faults are reported together with those of the schema.

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { Template } from '@huggingface/jinja';
import { nearestFix, type SchemaProblem } from './diagnostics';
import { elsewhere } from './engine';
import { noFiles } from './files';
import { suggestion } from './nearest';
import { isMapping } from './overrides';
import type { KeyPath } from './places';
import { presetSettings } from './presets';
import type { FolderOf } from './resolved';

type Raw = Readonly<Record<string, unknown>>;

export function checkCurriculum(root: Raw): readonly SchemaProblem[] {
  return [
    ...engines(root),
    ...phaseIds(root),
    ...dataIds(root),
    ...groups(root),
    ...presets(root),
    ...bounds(root),
    ...splits(root),
    ...orders(root),
    ...promotions(root),
    ...adapters(root),
    ...templates(root),
    ...patterns(root),
    ...ruleNames(root),
  ];
}

/** Files and folders that the curriculum names and that are not there. */
export function checkFiles(root: Raw, folderOf: FolderOf): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const look = (value: unknown, at: KeyPath, kind: 'file' | 'folder' | 'rows', remedy: string) => {
    if (typeof value !== 'string' || value === '') return;
    const resolved = path.resolve(folderOf(at), value);
    if (kind === 'rows') {
      const what = noFiles(resolved);
      if (what !== undefined) problems.push(fault(at, what, remedy));
      return;
    }
    const found = existsSync(resolved) ? statSync(resolved) : undefined;
    if (found === undefined) problems.push(fault(at, `there is no ${kind} ${resolved}`, remedy));
    else if (found.isDirectory() !== (kind === 'folder'))
      problems.push(fault(at, `${resolved} is not a ${kind}`, remedy));
    else if (
      at[0] === 'model' &&
      !['config.json', 'adapter_config.json'].some(name => existsSync(path.join(resolved, name)))
    )
      problems.push(fault(at, `${resolved} has no config.json`, remedy));
  };
  look(
    mapping(root['model'])['path'],
    ['model', 'path'],
    'folder',
    'path is a Hugging Face folder with a Qwen2.5-VL model.',
  );
  look(
    mapping(root['run'])['from'],
    ['run', 'from'],
    'folder',
    "from is a folder below a run's checkpoints, such as runs/shapes-20270101-120000/checkpoints/text-000060.",
  );
  for (const [name, rule] of Object.entries(mapping(mapping(root['rewards'])['rules'])))
    look(
      mapping(rule)['file'],
      ['rewards', 'rules', name, 'file'],
      'file',
      'file is a JavaScript or TypeScript file that exports score(sample, group).',
    );
  for (const [id, set] of Object.entries(mapping(root['data']))) {
    const { path: rows, image_folder: images } = mapping(set) as { path?: unknown; image_folder?: unknown };
    look(
      rows,
      ['data', id, 'path'],
      'rows',
      `Relative paths begin at the folder of this file; --set data.${id}.path=FILE begins at the current folder.`,
    );
    look(images, ['data', id, 'image_folder'], 'folder', 'image_folder is where relative image paths begin.');
  }
  return problems;
}

const mapping = (value: unknown): Raw => (isMapping(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const fault = (at: KeyPath, message: string, remedy: string): SchemaProblem => ({
  path: at,
  at: 'value',
  message,
  remedy,
});

function engines(root: Raw): readonly SchemaProblem[] {
  const { engine } = root;
  if (engine !== 'trl' && engine !== 'verl') return [];
  return [
    {
      ...fault(['engine'], `not there yet: ${engine} is known by its name alone, and nothing drives it`, elsewhere),
      fix: { kind: 'replace', text: 'embedded' },
    },
  ];
}

function phaseIds(root: Raw): readonly SchemaProblem[] {
  const ids = list(root['phases']).map(phase => mapping(phase)['id']);
  return ids.flatMap((id, i) =>
    typeof id === 'string' && ids.indexOf(id) < i
      ? [fault(['phases', i, 'id'], `two phases are called '${id}'`, 'Give each phase its own id.')]
      : [],
  );
}

function dataIds(root: Raw): readonly SchemaProblem[] {
  const known = Object.keys(mapping(root['data']));
  const named: { readonly id: unknown; readonly at: KeyPath }[] = [];
  for (const [i, phase] of list(root['phases']).entries()) {
    for (const [j, source] of list(mapping(phase)['sources']).entries()) {
      const at = ['phases', i, 'sources', j];
      named.push(
        typeof source === 'string' ? { id: source, at } : { id: mapping(source)['data'], at: [...at, 'data'] },
      );
    }
  }
  for (const [i, id] of list(mapping(root['evaluation'])['data']).entries())
    named.push({ id, at: ['evaluation', 'data', i] });
  return named.flatMap(({ id, at }) =>
    typeof id === 'string' && id !== '' && !known.includes(id)
      ? [{ ...fault(at, `there is no data '${id}'`, suggestion(id, known, 'data')), ...nearestFix(id, known) }]
      : [],
  );
}

/** A group teaches by the difference between its rollouts: it needs two that can differ, and a rule that pays. */
function groups(root: Raw): readonly SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  for (const [i, item] of list(root['phases']).entries()) {
    const phase = mapping(item);
    if ((phase['trainer'] ?? 'grpo') !== 'grpo') continue;
    const own = (group: string, key: string) => mapping(phase[group])[key] !== undefined;
    const here = (group: string, key: string): KeyPath => (own(group, key) ? ['phases', i, group, key] : [group, key]);
    const value = (group: string, key: string) => mapping(own(group, key) ? phase[group] : root[group])[key];
    if (value('generation', 'samples') === 1)
      problems.push(
        fault(
          here('generation', 'samples'),
          'GRPO compares the rollouts of a group, and one rollout is no group',
          'Set samples to 2 or more.',
        ),
      );
    if (value('generation', 'temperature') === 0)
      problems.push(
        fault(
          here('generation', 'temperature'),
          'at temperature 0 all rollouts of a group are equal, so GRPO learns nothing',
          'Set a temperature above 0.',
        ),
      );
    const rule = (name: string, otherwise: number) =>
      mapping(mapping(phase['rewards'])[name])['weight'] ??
      mapping(mapping(root['rewards'])[name])['weight'] ??
      otherwise;
    const others = Object.keys(mapping(mapping(root['rewards'])['rules'])).length;
    if (others === 0 && rule('format', 1) === 0 && rule('accuracy', 1) === 0)
      problems.push(
        fault(
          ['phases', i, 'rewards'],
          'every rule of the reward has weight 0',
          'Give at least one rule a weight above 0.',
        ),
      );
  }
  return unique(problems);
}

/** Gates and phases name rules that are there. */
function ruleNames(root: Raw): readonly SchemaProblem[] {
  const rewards = mapping(root['rewards']);
  const known = ['format', 'accuracy', ...Object.keys(mapping(rewards['rules']))];
  const named: { readonly name: unknown; readonly at: KeyPath }[] = [];
  for (const [i, name] of list(mapping(rewards['combine'])['gates']).entries())
    named.push({ name, at: ['rewards', 'combine', 'gates', i] });
  for (const [i, phase] of list(root['phases']).entries()) {
    const own = mapping(mapping(phase)['rewards']);
    for (const [j, name] of list(own['use']).entries()) named.push({ name, at: ['phases', i, 'rewards', 'use', j] });
    for (const name of Object.keys(mapping(own['rules'])))
      named.push({ name, at: ['phases', i, 'rewards', 'rules', name] });
  }
  return named.flatMap(({ name, at }) =>
    typeof name === 'string' && !known.includes(name)
      ? [{ ...fault(at, `there is no rule '${name}'`, suggestion(name, known, 'rule')), ...nearestFix(name, known) }]
      : [],
  );
}

/** The settings of GRPO at the top of the file and in each phase. */
const grpoSettings = (root: Raw): readonly (readonly [Raw, KeyPath])[] => [
  [mapping(root['grpo']), ['grpo']],
  ...list(root['phases']).map((phase, i): [Raw, KeyPath] => [mapping(mapping(phase)['grpo']), ['phases', i, 'grpo']]),
];

/** Bounds that hold nothing, or that the old policy itself would be beyond. */
function bounds(root: Raw): readonly SchemaProblem[] {
  const crossed = (settings: Raw, at: KeyPath, low: string, high: string): readonly SchemaProblem[] => {
    const [least, greatest] = [settings[low], settings[high]];
    return typeof least === 'number' && typeof greatest === 'number' && least > greatest
      ? [fault([...at, low], `${low} ${least} is above ${high} ${greatest}`, `Set ${low} below ${high}.`)]
      : [];
  };
  return grpoSettings(root).flatMap(([grpo, at]) => [
    ...crossed(grpo, at, 'cispo_min', 'cispo_max'),
    ...crossed(grpo, at, 'importance_sampling_min', 'importance_sampling_max'),
    ...list(grpo['advantage_shapers']).flatMap((shaper, i) =>
      crossed(mapping(shaper), [...at, 'advantage_shapers', i], 'low', 'high'),
    ),
    ...(['delta', 'dual_clip'] as const).flatMap(key => {
      const value = grpo[key];
      const remedy = 'Set it above 1, or to 0 for none.';
      return typeof value === 'number' && value > 0 && value <= 1
        ? [fault([...at, key], `${key} ${value} would bound the loss where the policy has not moved`, remedy)]
        : [];
    }),
  ]);
}

/** A preset and, beside it, a setting that says otherwise. What stands elsewhere in the file is a matter of inheritance. */
function presets(root: Raw): readonly SchemaProblem[] {
  return grpoSettings(root).flatMap(([grpo, at]) =>
    (['loss_type', 'advantage_preset'] as const).flatMap(preset =>
      Object.entries(presetSettings({ [preset]: grpo[preset] })).flatMap(([key, value]) =>
        grpo[key] === undefined || grpo[key] === value
          ? []
          : [
              fault(
                [...at, key],
                `${preset} ${String(grpo[preset])} has ${key} ${value}, but here it is ${String(grpo[key])}`,
                `Remove one of the two, or set ${preset} to custom and write out what it stands for.`,
              ),
            ],
      ),
    ),
  );
}

function splits(root: Raw): readonly SchemaProblem[] {
  return Object.entries(mapping(root['data'])).flatMap(([id, set]) => {
    const { from = 0, to = 1 } = mapping(mapping(set)['split']) as { from?: unknown; to?: unknown };
    return typeof from === 'number' && typeof to === 'number' && from >= to
      ? [fault(['data', id, 'split', 'to'], `the split from ${from} to ${to} holds nothing`, 'to must be above from.')]
      : [];
  });
}

function orders(root: Raw): readonly SchemaProblem[] {
  return list(root['phases']).flatMap((phase, i) => {
    const { by = 'seed', from = 0, to = 1 } = mapping(mapping(phase)['order']);
    const at = ['phases', i, 'order'];
    if (typeof from === 'number' && typeof to === 'number' && from > to)
      return [fault([...at, 'to'], `no pass rate is from ${from} to ${to}`, 'to must be at least from.')];
    if (by !== 'pass_rate' && (from !== 0 || to !== 1))
      return [
        fault([...at, from === 0 ? 'to' : 'from'], 'from and to are limits of the pass rate', 'Set by: pass_rate.'),
      ];
    return [];
  });
}

/** What is watched is evaluated. */
function promotions(root: Raw): readonly SchemaProblem[] {
  const evaluated = list(mapping(root['evaluation'])['data']);
  return list(root['phases']).flatMap((phase, i) => {
    const { by = 'steps', carry = 'last', source } = mapping(mapping(phase)['promotion']);
    const at = ['phases', i, 'promotion'];
    if (by === 'steps' && carry === 'last') return [];
    if (evaluated.length === 0)
      return [
        fault(
          [...at, by === 'steps' ? 'carry' : 'by'],
          'nothing is evaluated, so that no evaluation can decide',
          'Name data under evaluation.data.',
        ),
      ];
    if (typeof source === 'string' && !evaluated.includes(source))
      return [
        fault(
          [...at, 'source'],
          `'${source}' is not evaluated`,
          suggestion(
            source,
            evaluated.flatMap(id => (typeof id === 'string' ? [id] : [])),
            'evaluation.data',
          ),
        ),
      ];
    return [];
  });
}

const VISION_TARGETS: readonly unknown[] = ['qkv', 'attn.proj', 'mlp.0', 'mlp.2'];

/** What an adapter cannot be, and what cannot be done with one. */
function adapters(root: Raw): readonly SchemaProblem[] {
  if (root['adapter'] === undefined) {
    const { precision = 'f32' } = mapping(root['model']);
    const remedy = 'Add an adapter, or leave precision out.';
    return precision === 'f32'
      ? []
      : [
          fault(
            ['model', 'precision'],
            'parameters that are trained are float32, and without an adapter all are',
            remedy,
          ),
        ];
  }
  const problems: SchemaProblem[] = [];
  const { vision = false, targets } = mapping(root['adapter']);
  if (vision === false)
    for (const [i, target] of list(targets).entries())
      if (VISION_TARGETS.includes(target))
        problems.push(
          fault(['adapter', 'targets', i], `'${target}' is in the vision tower alone`, 'Set adapter.vision: true.'),
        );
  if (vision === true && list(mapping(root['model'])['freeze']).includes('vision'))
    problems.push(
      fault(['adapter', 'vision'], 'the vision tower is frozen and adapted', 'Take vision out of model.freeze.'),
    );
  const phases = list(root['phases']).map((phase, i): [Raw, KeyPath] => [mapping(phase), ['phases', i]]);
  for (const [holder, at] of [[root, []] as [Raw, KeyPath], ...phases]) {
    const own = mapping(holder['grpo']);
    const { reference, ref_model_mixup_alpha: share = 0.6 } = { ...mapping(root['grpo']), ...own };
    const follows = reference === 'follow' || mapping(holder['dpo'])['reference'] === 'follow';
    if (follows && share !== 1)
      problems.push(
        fault(
          [...at, 'grpo' in holder ? 'grpo' : 'dpo'],
          'a mean of two adapters is not the adapter of a mean, so that a reference can follow an adapter as a whole alone',
          'Set grpo.ref_model_mixup_alpha: 1, or another reference.',
        ),
      );
  }
  return problems;
}

function templates(root: Raw): readonly SchemaProblem[] {
  const written: { readonly template: unknown; readonly at: KeyPath }[] = ['text', 'captioned', 'image'].map(key => ({
    template: mapping(root['prompt'])[key],
    at: ['prompt', key],
  }));
  for (const { spec, at } of fieldSpecs(root)) written.push({ template: spec['template'], at: [...at, 'template'] });
  for (const [id, set] of Object.entries(mapping(root['data']))) {
    const { where } = mapping(set);
    if (typeof where === 'string')
      written.push({ template: `{% if ${where} %}{% endif %}`, at: ['data', id, 'where'] });
  }
  return written.flatMap(({ template, at }) => {
    if (typeof template !== 'string') return [];
    try {
      new Template(template);
      return [];
    } catch (error) {
      return [fault(at, `not a Jinja template: ${messageOf(error)}`, 'Check its brackets and tags.')];
    }
  });
}

function patterns(root: Raw): readonly SchemaProblem[] {
  const written: { readonly pattern: unknown; readonly at: KeyPath }[] = fieldSpecs(root).flatMap(({ spec, at }) =>
    ['match', 'matches'].map(key => ({ pattern: spec[key], at: [...at, key] })),
  );
  const rewards: readonly [unknown, KeyPath][] = [
    [root['rewards'], ['rewards']],
    ...list(root['phases']).map((phase, i): [unknown, KeyPath] => [
      mapping(phase)['rewards'],
      ['phases', i, 'rewards'],
    ]),
  ];
  for (const [rules, at] of rewards)
    written.push({ pattern: mapping(mapping(rules)['format'])['pattern'], at: [...at, 'format', 'pattern'] });
  for (const [holder, at] of [
    [root, []] as [Raw, KeyPath],
    ...list(root['phases']).map((phase, i): [Raw, KeyPath] => [mapping(phase), ['phases', i]]),
  ])
    for (const [i, group] of list(mapping(holder['optimizer'])['groups']).entries())
      written.push({ pattern: mapping(group)['match'], at: [...at, 'optimizer', 'groups', i, 'match'] });
  return written.flatMap(({ pattern, at }) => {
    if (typeof pattern !== 'string') return [];
    try {
      new RegExp(pattern, 'su');
      return [];
    } catch (error) {
      return [fault(at, messageOf(error), 'Regular expressions are those of JavaScript, with the flags s and u.')];
    }
  });
}

function fieldSpecs(root: Raw): { readonly spec: Raw; readonly at: KeyPath }[] {
  const single = (spec: unknown, at: KeyPath) =>
    Array.isArray(spec)
      ? spec.map((part, i) => ({ spec: mapping(part), at: [...at, i] }))
      : [{ spec: mapping(spec), at }];
  return Object.entries(mapping(root['data'])).flatMap(([id, set]) => [
    ...Object.entries(mapping(mapping(set)['fields'])).flatMap(([name, spec]) =>
      single(spec, ['data', id, 'fields', name]),
    ),
    ...single(mapping(mapping(set)['split'])['by'], ['data', id, 'split', 'by']),
  ]);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function unique(problems: readonly SchemaProblem[]): readonly SchemaProblem[] {
  return [...new Map(problems.map(problem => [`${problem.path.join('.')} ${problem.message}`, problem])).values()];
}
