// One step of GRPO: roll out groups, score them, turn rewards into advantages, take one optimiser step, write it down.

import type { Weights } from '../model/weights';
import { Random } from '../protocol/random';
import { compileRules, type Rewards, type RuleSet } from '../reward/rule-set';
import { Generation, type Sample } from '../rollout/generation';
import type { RenderedPrompt } from '../rollout/prompter';
import { writeRollouts } from '../run/rollouts';
import { groupAdvantages } from '../train/advantages';
import { score, type TokenScores, type TrainedCompletion, type TrainedGroup } from '../train/gradient';
import { learningRate } from '../train/schedule';
import { trainStep } from '../train/step';
import type { RunContext, StepPosition, StepReport } from './context';
import type { Shown } from './order';
import { promptOf } from './prompt-of';
import { rolloutMetrics } from './rollout-metrics';
import { type Rollout, rolloutRecord } from './rollout-record';
import { adamWOptions, frozenParts } from './settings';

/** @param reference parameters of the KL penalty's reference, where there is one */
export async function grpoStep(
  context: RunContext,
  at: StepPosition,
  shown: readonly Shown[],
  reference: Weights | undefined,
): Promise<StepReport> {
  const { model, optimizer, config, job } = context;
  const { settings } = at;
  const timings: Record<string, number> = {};
  const timed = async <T>(name: string, f: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await f();
    timings[name] = (timings[name] ?? 0) + (performance.now() - started) / 1000;
    return result;
  };
  const started = performance.now();

  const prompts = await timed('prompts', () => Promise.all(shown.map(s => promptOf(context, s))));
  const samples = await timed('generation', () => rollOut(context, at, shown, prompts));
  const groups = await timed('rewards', () => scoreGroups(context, at, shown, samples));
  const { temperature } = settings.generation;
  const trained = groups.map(
    (group, i): TrainedGroup => ({
      prompt: prompts[i] as RenderedPrompt,
      completions: weighted(groups, group, settings.grpo.aggregation),
    }),
  );
  const referenceScores =
    reference === undefined ? undefined : await timed('reference', () => scoreAll(context, at, trained, reference));
  const withReference = trained.map((g, i) => ({
    ...g,
    completions: g.completions.map((c, j): TrainedCompletion => {
      const refLogProbs = referenceScores?.[i]?.[j]?.logProbs;
      return refLogProbs === undefined ? c : { ...c, refLogProbs };
    }),
  }));

  const rate = learningRate(settings.optimizer, at.phaseStep - 1, at.phase.steps);
  const result = await timed('update', () =>
    trainStep(model, optimizer, withReference, {
      objective: {
        kind: 'grpo',
        epsilon: settings.grpo.epsilon,
        epsilonHigh: settings.grpo.epsilon_high,
        beta: reference === undefined ? 0 : settings.grpo.beta,
        onPolicy: true,
      },
      temperature: temperature === 0 ? 1 : temperature,
      optimizer: adamWOptions(settings, rate),
      maxGradNorm: settings.optimizer.max_grad_norm,
      microBatch: settings.grpo.micro_batch,
      frozen: frozenParts(config),
    }),
  );

  const records = groups.flatMap((group, i) =>
    group.map((rollout, j) =>
      rolloutRecord(
        context,
        at,
        shown[i] as Shown,
        prompts[i] as RenderedPrompt,
        rollout,
        i,
        j,
        result.scores[i]?.[j],
        referenceScores?.[i]?.[j],
      ),
    ),
  );
  const file = await timed('writing', () => writeRollouts(job.folder, records));
  timings['total'] = (performance.now() - started) / 1000;
  return {
    metrics: {
      ...rolloutMetrics(groups, result.scores, referenceScores),
      loss: result.loss,
      grad_norm: result.gradNorm,
      learning_rate: rate,
    },
    timings,
    rollouts: file,
  };
}

async function rollOut(
  { model, prompter, config }: RunContext,
  { phase, phaseStep, settings }: StepPosition,
  shown: readonly Shown[],
  prompts: readonly RenderedPrompt[],
): Promise<readonly (readonly Sample[])[]> {
  const { samples, temperature, max_tokens: maxTokens, stop } = settings.generation;
  const { tokenizer } = prompter;
  const random = shown.flatMap(({ example }, i) =>
    Array.from({ length: samples }, (_, s) => new Random(config.seed, phase.id, phaseStep, example.id, i, s)),
  );
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  const options = { samples, temperature, maxTokens, stopIds: tokenizer.eosIds, stop: { texts: stop, decode } };
  const generation = await Generation.start(model, prompts, options, random);
  return (await generation.finish()) ?? [];
}

/** Once for a phase: a script that is written to meanwhile does not change a run behind its back. */
const ruleSets = new WeakMap<Rewards, Promise<RuleSet>>();

function compiled(rewards: Rewards): Promise<RuleSet> {
  const known = ruleSets.get(rewards) ?? compileRules(rewards);
  ruleSets.set(rewards, known);
  return known;
}

async function scoreGroups(
  { prompter, config }: RunContext,
  { settings, step, phase }: StepPosition,
  shown: readonly Shown[],
  samples: readonly (readonly Sample[])[],
): Promise<readonly (readonly Rollout[])[]> {
  const rules = await compiled(settings.rewards);
  const { scale_rewards: scale, advantage_eps: eps } = settings.grpo;
  const asked = samples.map((group, i) =>
    group.map(sample => ({
      completion: prompter.tokenizer.decode(sample.tokenIds, { skipSpecial: true }),
      example: (shown[i] as Shown).example,
      tokens: sample.tokenIds.length,
      truncated: sample.stop === 'length',
    })),
  );
  const scores = rules.score(asked, { step, phase: phase.id, seed: config.seed });
  return samples.map((group, i) => {
    const scored = scores[i] ?? [];
    const advantages = groupAdvantages(
      scored.map(s => s.reward),
      { scale, eps },
    );
    return group.map((sample, j) => ({
      sample,
      text: asked[i]![j]!.completion,
      scored: scored[j]!,
      advantage: advantages[j] as number,
    }));
  });
}

/** Weights by token: a mean over all tokens of the step, or over completions of their token means. */
function weighted(
  groups: readonly (readonly Rollout[])[],
  group: readonly Rollout[],
  aggregation: 'token' | 'sequence',
): readonly TrainedCompletion[] {
  const all = groups.flat();
  const tokens = all.reduce((n, r) => n + r.sample.tokenIds.length, 0);
  return group.map(({ sample: { tokenIds }, advantage }) => {
    const weight = aggregation === 'token' ? 1 / tokens : 1 / (tokenIds.length * all.length);
    return { tokenIds, advantage, weights: new Float32Array(tokenIds.length).fill(weight) };
  });
}

async function scoreAll(
  { model }: RunContext,
  { settings }: StepPosition,
  groups: readonly TrainedGroup[],
  weights: Weights,
): Promise<readonly (readonly TokenScores[])[]> {
  const size = settings.grpo.micro_batch;
  const temperature = settings.generation.temperature === 0 ? 1 : settings.generation.temperature;
  const out: (readonly TokenScores[])[] = [];
  // groups with images and groups without run apart, as in the update
  for (const images of [false, true]) {
    const indices = groups.flatMap((g, i) => (g.prompt.images.length > 0 === images ? [i] : []));
    for (let i = 0; i < indices.length; i += size) {
      const part = indices.slice(i, i + size);
      const scores = await score(
        model,
        part.map(j => groups[j] as TrainedGroup),
        temperature,
        weights,
      );
      part.forEach((j, k) => {
        out[j] = scores[k] as readonly TokenScores[];
      });
    }
  }
  return out;
}
