// triphase doctor --model: what a model folder is, and whether it fits this machine for generation, for an adapter and for
// training all of it.

import { elsewhere } from '../config/engine';
import { type ModelForm, withLightAdapter } from '../model/adapter';
import { baseFolder, holdsAdapter } from '../model/adapter-files';
import { loadModelConfig } from '../model/config';
import { parameterShapes, storedParameters, weightFiles } from '../model/weights';
import { machineMemory } from '../tensor/machine-memory';
import { estimateMemory, type RunShape, type Trained } from '../train/estimate';

export interface ModelReport {
  readonly lines: readonly { readonly name: string; readonly text: string; readonly fits?: boolean }[];
}

const uses: readonly (readonly [Trained, string])[] = [
  ['nothing', 'generation'],
  ['adapter', 'LoRA'],
  ['model', 'training all'],
];

/** What doctor says of a model folder, at a batch of prompts and a length of completions. */
export async function modelReport(folder: string, shape: RunShape): Promise<ModelReport> {
  const base = holdsAdapter(folder) ? await baseFolder(folder) : folder;
  const config = await loadModelConfig(base);
  const stored = await storedParameters(base);
  const files = await weightFiles(base);
  const shapes = parameterShapes(config);
  const lines: { name: string; text: string; fits?: boolean }[] = [];
  const { text, vision } = config;
  const architecture = `Qwen2.5-VL, ${text.layers} layers of ${text.hiddenSize}, ${text.heads} heads over ${text.kvHeads}, vocabulary ${text.vocabSize}; vision tower of ${vision.depth} layers of ${vision.hiddenSize}`;
  lines.push({ name: 'model', text: architecture });
  const elements = [...shapes.values()].reduce((n, dims) => n + dims.reduce((p, d) => p * d, 1), 0);
  const bytes = [...stored.values()].reduce((n, { begin, end }) => n + end - begin, 0);
  const types = [...new Set([...stored.values()].map(({ dtype }) => dtype))].join(', ');
  lines.push({
    name: 'parameters',
    text: `${count(elements)} in ${files.length === 1 ? 'one file' : `${files.length} files`}, ${types}, ${gib(bytes)}`,
  });
  const missing = [...shapes.keys()].filter(name => !stored.has(name));
  if (missing.length > 0)
    lines.push({
      name: 'missing',
      text: `${missing.length} of ${shapes.size} tensors, ${missing[0]} the first`,
      fits: false,
    });

  const { total: room } = machineMemory();
  for (const [trained, name] of uses) {
    const [plan, why] = leastPlan(config, shape, trained);
    const fits = plan.bytes <= room;
    lines.push({
      name,
      text: `${fits ? 'fits' : 'does not fit'} the CPU: ${gib(plan.bytes)} of ${gib(room)}, ${why}`,
      fits,
    });
    const [most, second] = [...plan.parts].sort((a, b) => b.bytes - a.bytes);
    lines.push({
      name: '',
      text: [most, second].map(part => (part === undefined ? '' : `${part.what} ${gib(part.bytes)}`)).join(', '),
    });
  }
  if (lines.some(({ name, fits }) => fits === false && name !== 'missing'))
    lines.push({ name: 'elsewhere', text: elsewhere });
  return { lines };
}

/** The whole model in one graph where that fits, as float32, and else layer by layer. */
function leastPlan(config: ModelForm, shape: RunShape, trained: Trained) {
  const form = trained === 'adapter' ? withLightAdapter(config) : config;
  const plan = { ...shape, form, trained, reference: trained === 'model' };
  const whole = estimateMemory({ ...plan, precision: 'f32', layerwise: false });
  if (whole.bytes <= machineMemory().total) return [whole, 'in one graph, float32'] as const;
  const precision = trained === 'model' ? 'f32' : 'f16';
  const words = precision === 'f32' ? 'float32' : 'float16 beside what is trained';
  return [estimateMemory({ ...plan, precision, layerwise: true }), `layer by layer, ${words}`] as const;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function count(n: number): string {
  return n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : `${(n / 1e6).toFixed(1)} million`;
}
