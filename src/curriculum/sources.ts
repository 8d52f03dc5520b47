// The examples of a run: read once, checked against what each phase shows of them.

import type { Curriculum, Phase } from '../config/schema';
import { loadExamples } from '../data/examples';
import { forView, withTargets } from '../data/views';
import { TriphaseError } from '../protocol/errors';
import type { Example } from '../protocol/example';
import type { LeftOut, SourceReport } from '../protocol/run';
import type { PhaseExamples } from './order';

export interface RunData {
  /** By phase id. */
  readonly phases: ReadonlyMap<string, readonly PhaseExamples[]>;
  readonly evaluation: readonly Example[];
  readonly reports: readonly SourceReport[];
}

/** @throws TriphaseError where a phase is left without examples */
export async function loadRunData(config: Curriculum, phases: readonly Phase[]): Promise<RunData> {
  const ids = new Set([...phases.flatMap(p => p.sources.map(s => s.data)), ...config.evaluation.data]);
  const loaded = new Map<string, { examples: readonly Example[]; dropped: readonly LeftOut[] }>();
  for (const id of ids) loaded.set(id, await loadExamples(config, id));
  const of = (id: string): readonly Example[] => loaded.get(id)?.examples ?? [];

  const refused = new Map<string, (LeftOut & { phase: string })[]>();
  const byPhase = new Map<string, PhaseExamples[]>();
  for (const phase of phases) {
    const sources: PhaseExamples[] = [];
    for (const source of phase.sources) {
      const shown = forView(of(source.data), source.view);
      const list = refused.get(source.data) ?? [];
      const usable = phase.trainer === 'sft' ? withTargets(shown.examples) : { examples: shown.examples, refused: [] };
      list.push(...[...shown.refused, ...usable.refused].map(r => ({ ...r, phase: phase.id })));
      refused.set(source.data, list);
      if (usable.examples.length > 0) sources.push({ source, examples: usable.examples });
      else
        throw empty(
          phase,
          source.data,
          list.filter(r => r.phase === phase.id),
          loaded.get(source.data)?.dropped ?? [],
        );
    }
    byPhase.set(phase.id, sources);
  }
  const evaluation = config.evaluation.data.flatMap(id => of(id).slice(0, config.evaluation.limit));
  return {
    phases: byPhase,
    evaluation,
    reports: [...ids].map(source => ({
      source,
      examples: of(source).length,
      dropped: loaded.get(source)?.dropped ?? [],
      refused: refused.get(source) ?? [],
    })),
  };
}

function empty(phase: Phase, source: string, refused: readonly LeftOut[], dropped: readonly LeftOut[]): TriphaseError {
  const reasons = [...refused, ...dropped].map(r => `${r.count} ${r.reason}`).join(', ');
  const place = [...refused, ...dropped].find(r => r.first !== undefined)?.first;
  return new TriphaseError(
    'data',
    `phase ${phase.id} has no examples from ${source}${reasons === '' ? '' : ` (${reasons})`}`,
    'Map the fields that this view needs (text: scene or no image; captioned: caption and image; image: image), or choose another view.',
    place,
  );
}
