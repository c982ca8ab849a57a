/**
 * A history within its bounds: whole turns are left out, from the oldest on, and no more of them than must be. No output
 * is kept without its call. System messages are all kept, in their places.
 */
import type { HistoryBounds } from '@millrace/core';
import { answeredIn, boundBeyond, calledIn, type Item, isSystem, sizeOf, sumOf } from './measure-items.ts';

/** What one request asked and was answered. */
export type HistoryTurn = readonly Item[];

export type Cut = { kind: 'within'; items: Item[] } | { kind: 'beyond'; bound: keyof HistoryBounds };

/**
 * @param turns the oldest first
 * @param own what is asked now: it is not cut, and what it gives the outputs of must stay with it
 * @returns 'beyond' where what must stay is more than the bounds allow
 */
export function cutTurns(turns: readonly HistoryTurn[], own: readonly Item[], bounds: HistoryBounds): Cut {
  const callers = new Map<string, number>();
  for (const [place, turn] of [...turns, own].entries()) {
    for (const item of turn) callers.set(calledIn(item) ?? '', place);
  }
  /** The oldest turn that these items cannot be without; before all of them, where it is not known. */
  const oldestCaller = (items: readonly Item[]): number =>
    Math.min(
      turns.length,
      ...items.flatMap((item) => {
        const call = answeredIn(item);
        return call === null ? [] : [callers.get(call) ?? -1];
      }),
    );

  let size = sizeOf(turns.flat().filter(isSystem));
  let beyond = boundBeyond(size, bounds);
  let needed = oldestCaller(own);
  let keptFrom = beyond === null && needed === turns.length ? turns.length : null;
  for (let place = turns.length - 1; place >= 0 && beyond === null; place--) {
    const turn = turns[place] as HistoryTurn;
    size = sumOf(size, sizeOf(turn.filter((item) => !isSystem(item))));
    beyond = boundBeyond(size, bounds);
    if (beyond !== null) break;
    needed = Math.min(needed, oldestCaller(turn));
    // Nothing is left out before the first: whatever calls it lacks, it lacked them when it was asked.
    if (needed >= place || place === 0) keptFrom = place;
  }
  if (keptFrom === null) return { kind: 'beyond', bound: beyond ?? 'maxTokens' };
  const first = keptFrom;
  return { kind: 'within', items: turns.flatMap((turn, place) => (place < first ? turn.filter(isSystem) : turn)) };
}
