// Between whoever reads Parquet and the thread that decodes it.

import type { ParquetPart, ParquetRow, ParquetShape } from './decode';

export type ParquetQuestion =
  | { readonly kind: 'shape'; readonly file: string }
  | ({ readonly kind: 'rows' } & ParquetPart)
  | {
      readonly kind: 'column';
      readonly file: string;
      readonly column: string;
      readonly from: number;
      readonly to: number;
    };

export interface ParquetAnswers {
  readonly shape: ParquetShape;
  readonly rows: readonly ParquetRow[];
  readonly column: readonly unknown[];
}

export type ParquetAnswer =
  | { readonly answer: ParquetAnswers[ParquetQuestion['kind']] }
  /** What is wrong with the file. */
  | { readonly why: string };
