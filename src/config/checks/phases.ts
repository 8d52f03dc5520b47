// Which examples a phase takes, and when it is over.

import type { SchemaProblem } from '../diagnostics';
import { suggestion } from '../nearest';
import { fault, list, mapping, type Raw } from './raw';

export function splits(root: Raw): readonly SchemaProblem[] {
  return Object.entries(mapping(root['data'])).flatMap(([id, set]) => {
    const { from = 0, to = 1 } = mapping(mapping(set)['split']) as { from?: unknown; to?: unknown };
    return typeof from === 'number' && typeof to === 'number' && from >= to
      ? [fault(['data', id, 'split', 'to'], `the split from ${from} to ${to} holds nothing`, 'to must be above from.')]
      : [];
  });
}

export function orders(root: Raw): readonly SchemaProblem[] {
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
export function promotions(root: Raw): readonly SchemaProblem[] {
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
