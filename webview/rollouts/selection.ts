// Which rollouts are listed: what the person typed, chose among the bars, and looks at, as one question.

import type { RolloutRef, Sort } from '../../src/protocol/query';
import { RequestError } from '../host';
import { t } from '../words';
import { type BinRange, rangeFilter } from './histogram';

/** All that is kept of the view beside its run and its step. */
export interface Ui {
  readonly allSteps?: boolean;
  readonly filter?: string;
  readonly search?: string;
  readonly sort?: Sort;
  readonly flat?: boolean;
  readonly columns?: readonly string[];
  readonly histogram?: string;
  readonly bins?: BinRange;
  readonly selected?: RolloutRef;
  /** The selected rollout is shown beside the list. */
  readonly detail?: boolean;
}

export interface Selection {
  readonly filter?: string;
  readonly search?: string;
}

/**
 * What the person typed stands first, so that places in it are right.
 * @param step that is looked at; undefined: all
 */
export function selectionOf(
  { filter = '', search = '', bins }: Ui,
  step: number | undefined,
  withBins: boolean,
): Selection {
  const parts = [
    ...(filter === '' ? [] : [`(${filter})`]),
    ...(step === undefined ? [] : [`step == ${step}`]),
    ...(withBins && bins !== undefined ? [rangeFilter(bins)] : []),
  ];
  return {
    ...(parts.length === 0 ? {} : { filter: parts.join(' and ') }),
    ...(search === '' ? {} : { search }),
  };
}

/** What is wrong with what was typed, and at which of its characters; undefined: something else is wrong. */
export function faultInFilter(
  error: unknown,
  filter: string,
): { readonly message: string; readonly at: number | undefined } | undefined {
  if (!(error instanceof RequestError) || filter === '' || error.record.code !== 'usage') return undefined;
  const { message, remedy, place } = error.record;
  // of the whole selection, which begins with a bracket before what was typed
  const column = (place?.column ?? Number(/at character (\d+)/.exec(message)?.[1] ?? 0)) - 1;
  return {
    message: `${message.replace(/at character \d+/, t('at character {0}', column))}${remedy === undefined ? '' : ` ${remedy}`}`,
    at: column >= 1 && column <= filter.length + 1 ? column : undefined,
  };
}
