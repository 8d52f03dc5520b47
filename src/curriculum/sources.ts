// The examples of a run: read once, checked against what each phase shows of them.

import sharp from 'sharp';
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
  await checkImages([...byPhase.values()].flatMap(list => list.flatMap(s => s.examples)).concat(evaluation));
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

/** Reads the header of every image, so that a broken one is known before the first step and not at the thousandth. */
async function checkImages(examples: readonly Example[]): Promise<void> {
  const files = [...new Set(examples.flatMap(e => e.images))];
  const parallel = 16;
  for (let at = 0; at < files.length; at += parallel) {
    await Promise.all(
      files.slice(at, at + parallel).map(async file => {
        try {
          await sharp(file).metadata();
        } catch (error) {
          throw new TriphaseError(
            'image',
            `an image cannot be read: ${error instanceof Error ? error.message : String(error)}`,
            'Replace the file, or leave its row out of the data.',
            { file },
          );
        }
      }),
    );
  }
}
