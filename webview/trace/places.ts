// Where a key leads within a completion: from step to step, into the tokens of a step and through them, out again.

import type { CompletionText, Place } from './completion-text';
import type { TraceKey } from './keys';
import { nextUncertain } from './tokens';

/** undefined: nowhere, or no key of this kind. */
export function placeBy(key: TraceKey, text: CompletionText, place: Place): Place | undefined {
  const { step, piece } = place;
  const last = text.steps.length - 1;
  const [first, beyond] = text.piecesOf(step);
  const toStep = (to: number): Place => ({ step: Math.max(0, Math.min(last, to)), piece: undefined });
  const toPieceHere = (to: number): Place => ({ step, piece: to });
  switch (key) {
    case 'next-step':
      return toStep(step + 1);
    case 'previous-step':
      return toStep(step - 1);
    case 'first-step':
      return piece === undefined ? toStep(0) : toPieceHere(first);
    case 'last-step':
      return piece === undefined ? toStep(last) : toPieceHere(Math.max(first, beyond - 1));
    case 'into':
      return first < beyond ? toPieceHere(first) : undefined;
    case 'out':
      return toStep(step);
    case 'next-token':
      return placeOfPiece(text, (piece ?? first) + 1);
    case 'previous-token':
      return placeOfPiece(text, (piece ?? first) - 1);
    default:
      return undefined;
  }
}

/** At the token, in the next step where it begins there. */
function placeOfPiece(text: CompletionText, piece: number): Place | undefined {
  const found = text.pieces.at(piece);
  return found === undefined ? undefined : { step: text.placeOf(found.last).step, piece };
}

/** The next token that was no clear choice, from the beginning again behind the last; undefined: none was. */
export function nextUncertainPlace(text: CompletionText, place: Place): Place | undefined {
  const { tokens, pieces } = text;
  if (tokens === null) return undefined;
  const [first] = text.piecesOf(place.step);
  const from = place.piece === undefined ? (pieces.at(first)?.first ?? 0) : (pieces.at(place.piece)?.last ?? -1) + 1;
  const token = nextUncertain(tokens, from) ?? nextUncertain(tokens, 0);
  return token === undefined ? undefined : text.placeOf(token);
}
