// Whether a run fits in memory, and whether it computes in one graph or layer by layer: from the estimate at the batch and
// the lengths of its phases. It goes by the memory of the machine, never by what happens to be free, for both ways round
// otherwise, and a run is to repeat.

import { elsewhere } from '../config/engine';
import { phaseSettings } from '../config/resolved';
import type { Curriculum, Phase } from '../config/schema';
import { type ModelForm, withLightAdapter } from '../model/adapter';
import { TriphaseError } from '../protocol/errors';
import { type MachineMemory, machineMemory } from '../tensor/machine-memory';
import type { Device } from '../tensor/session';
import { estimateMemory, type MemoryPlan } from '../train/estimate';
import type { JobEvent } from './job';
import { frozenParts } from './settings';

export interface MemoryFit {
  readonly layerwise: boolean;
  /** Prompts in one run of the gradient, by phase. */
  readonly microBatches: Readonly<Record<string, number>>;
  /** Bytes; of the CPU alone. */
  readonly memory?: { readonly estimate: number; readonly total: number };
  readonly warning?: Extract<JobEvent, { readonly kind: 'warning' }>;
}

export interface FitQuestion {
  readonly config: Curriculum;
  readonly phases: readonly Phase[];
  readonly form: ModelForm;
  readonly device: Device;
  /** Of the longest prompt. */
  readonly promptTokens: number;
  /** The way that the run went before: it goes on so, and is not refused. */
  readonly before?: boolean;
  /** What it ran with before. */
  readonly microBatches?: Readonly<Record<string, number>>;
}

/** @throws TriphaseError 'memory' where the run would not fit even layer by layer */
export function memoryFit(asked: FitQuestion): MemoryFit {
  const { config, device, phases, before } = asked;
  const wanted = before ?? config.model.layerwise;
  if (device !== 'cpu') return { layerwise: wanted === true, microBatches: microBatchesOf(asked, false) };
  const room = machineMemory();
  const scores = phases.some(({ trainer }) => trainer === 'scorer');
  const whole = wanted === true ? undefined : mostOf(asked, false);
  const layerwise = whole === undefined || (wanted === 'auto' && !scores && whole.bytes > room.total);
  const least = layerwise || whole === undefined ? mostOf(asked, true) : whole;
  const microBatches = microBatchesOf(asked, layerwise);
  const chosen = mostOf(asked, layerwise, microBatches);
  if (least.bytes > room.total && before === undefined && !scores) {
    const byLayers = layerwise ? least : mostOf(asked, true);
    if (byLayers.bytes > room.total) throw refusal(asked, byLayers, room);
  }
  const warning = chosen.bytes > room.free ? tight(chosen, layerwise || scores, room) : undefined;
  return {
    layerwise,
    microBatches,
    memory: { estimate: Math.round(chosen.bytes), total: room.total },
    ...(warning === undefined ? {} : { warning }),
  };
}

/** Whether a model that is only run does so layer by layer. @param prompts that run together, a completion each */
export function generatesByLayers(config: Curriculum, form: ModelForm, device: Device, prompts: number): boolean {
  const { layerwise } = config.model;
  if (layerwise !== 'auto' || device !== 'cpu') return layerwise === true;
  const { bytes } = estimateMemory({
    form,
    precision: form.precision ?? 'f32',
    trained: 'nothing',
    layerwise: false,
    reference: false,
    prompts,
    samples: 1,
    promptTokens: config.prompt.max_tokens,
    completionTokens: config.generation.max_tokens,
  });
  return bytes > machineMemory().total;
}

interface Need {
  readonly bytes: number;
  readonly phase: string;
  readonly plan: MemoryPlan;
}

/** Rows of a run from which on further ones gain its products little; our choice. */
const ENOUGH_ROWS = 8192;

function microBatchesOf(asked: FitQuestion, layerwise: boolean): Readonly<Record<string, number>> {
  return Object.fromEntries(asked.phases.map(phase => [phase.id, microBatchOf(asked, phase, layerwise)]));
}

/** Half of the memory of the machine, for runs are not alone on it; and what is free at the moment must not count. */
function microBatchOf(asked: FitQuestion, phase: Phase, layerwise: boolean): number {
  const { config, device, microBatches } = asked;
  const { grpo } = phaseSettings(config, phase);
  if (grpo.micro_batch !== 'auto') return grpo.micro_batch;
  const before = microBatches?.[phase.id];
  if (before !== undefined) return before;
  if (device !== 'cpu' || grpo.aggregation === 'micro_batch') return 1;
  const room = machineMemory().total / 2;
  const { promptTokens, samples, completionTokens } = planOf(asked, phase, layerwise, 1);
  const useful = Math.ceil(ENOUGH_ROWS / (promptTokens + samples * completionTokens));
  for (let n = Math.min(phase.prompts, useful); n > 1; n = Math.ceil(n / 2))
    if (estimateMemory(planOf(asked, phase, layerwise, n)).bytes <= room) return n;
  return 1;
}

/** Of the phase that takes the most. @param microBatches where they are not said by the config; default: 1 */
function mostOf(asked: FitQuestion, layerwise: boolean, microBatches: Readonly<Record<string, number>> = {}): Need {
  const known = new Map<string, number>();
  const needs = asked.phases.map((phase): Need => {
    const { micro_batch: said } = phaseSettings(asked.config, phase).grpo;
    const plan = planOf(asked, phase, layerwise, said === 'auto' ? (microBatches[phase.id] ?? 1) : said);
    const { form: _, ...shape } = plan;
    const key = JSON.stringify(shape);
    const bytes = known.get(key) ?? estimateMemory(plan).bytes;
    known.set(key, bytes);
    return { bytes, phase: phase.id, plan };
  });
  return needs.reduce((most, need) => (need.bytes > most.bytes ? need : most));
}

/** Completions are taken to be as long as they may be: targets and preferences too, which nobody has counted. */
function planOf(
  { config, form, promptTokens }: FitQuestion,
  phase: Phase,
  layerwise: boolean,
  prompts: number,
): MemoryPlan {
  const { generation, grpo } = phaseSettings(config, phase);
  const { trainer } = phase;
  const microBatch = Math.min(phase.prompts, prompts * (layerwise ? 1 : Math.max(1, config.replicas)));
  const whole = form.adapter === undefined;
  return {
    form,
    trained: whole ? 'model' : 'adapter',
    precision: form.precision ?? 'f32',
    layerwise,
    reference: whole && (trainer === 'dpo' || (trainer === 'grpo' && grpo.beta > 0)),
    visionFrozen: frozenParts(config).has('vision'),
    // what nothing is generated for is only trained on
    prompts: trainer === 'grpo' ? phase.prompts : 1,
    microBatch,
    samples: trainer === 'grpo' ? generation.samples : trainer === 'dpo' ? 2 : 1,
    promptTokens: Math.max(1, promptTokens),
    completionTokens: generation.max_tokens,
  };
}

function tight({ bytes, phase }: Need, layerwise: boolean, { total, free }: MachineMemory): MemoryFit['warning'] {
  const less = 'grpo.micro_batch, generation.samples or generation.max_tokens';
  return {
    kind: 'warning',
    message: `phase ${phase} may take ${gib(bytes)} of memory; ${gib(free)} of ${gib(total)} are free`,
    remedy: layerwise
      ? `End other programs, or lower ${less}.`
      : `End other programs, set model.layerwise: true, or lower ${less}.`,
  };
}

function refusal(asked: FitQuestion, need: Need, { total }: MachineMemory): TriphaseError {
  const { plan, phase } = need;
  const ways = waysToFit(plan).filter(way => estimateMemory(way.plan).bytes <= total);
  const fitting = ways.map(({ what, plan }) => `${what} (${gib(estimateMemory(plan).bytes)})`);
  const [most] = [...estimateMemory(plan).parts].sort((a, b) => b.bytes - a.bytes);
  return new TriphaseError(
    'memory',
    `the run does not fit: phase ${phase} would take ${gib(need.bytes)} even layer by layer, of ${gib(total)} in this machine; the most is ${most?.what} with ${gib(most?.bytes ?? 0)}, for ${Math.max(plan.prompts, plan.microBatch ?? 1)} prompts of up to ${plan.promptTokens} tokens with ${plan.samples} completions of up to ${plan.completionTokens}`,
    `${fitting.length === 0 ? 'No smaller batch and no adapter makes it fit.' : `What would fit: ${fitting.join('; ')}.`} ${elsewhere}`,
    { file: asked.config.model.path },
  );
}

/** One change each, and all of them together. */
function waysToFit(plan: MemoryPlan): readonly { readonly what: string; readonly plan: MemoryPlan }[] {
  const half = Math.ceil(plan.completionTokens / 2);
  const one = { ...plan, microBatch: 1 };
  const light: MemoryPlan = {
    ...plan,
    form: plan.form.adapter === undefined ? withLightAdapter(plan.form) : plan.form,
    trained: 'adapter',
    precision: 'f16',
    reference: false,
  };
  const name = plan.trained === 'adapter' ? 'model.precision: f16' : 'an adapter with model.precision: f16';
  return [
    ...((plan.microBatch ?? 1) > 1 ? [{ what: 'grpo.micro_batch: 1', plan: one }] : []),
    { what: `generation.max_tokens: ${half}`, plan: { ...plan, completionTokens: half } },
    ...(plan.prompts > 1 ? [{ what: 'prompts: 1', plan: { ...one, prompts: 1 } }] : []),
    ...(plan.trained === 'adapter' && plan.precision !== 'f32' ? [] : [{ what: name, plan: light }]),
    { what: `${name}, with prompts: 1`, plan: { ...light, prompts: 1, microBatch: 1 } },
  ];
}

const gib = (bytes: number): string =>
  bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
