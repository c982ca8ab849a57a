/**
 * What was said before, for an upstream that does not remember it: from a follow-up's predecessor back along
 * `previous_response_id` through stored jobs, one read each, as far as the bounds go.
 */
import type { HistoryBounds, ResponsesBody } from '@millrace/core';
import { inputItemsOf } from '@millrace/core';
import { type LostResponse, notFound } from '../previous-response.ts';
import { type JobWithAnswer, readMany } from '../read.ts';
import { queueOfJob, type Store } from '../store.ts';
import { cutTurns, type HistoryTurn } from './cut-turns.ts';
import { boundBeyond, type Item, isSystem, type Size, sizeOf, sumOf } from './measure-items.ts';
import { turnOfJob } from './turn-of-job.ts';

export type History =
  | {
      kind: 'history';
      /** The oldest first. */
      items: Item[];
      /** Those of the nearest predecessor that has some, where the request itself has none. */
      instructions: string | null;
      characters: number;
      /** The first job of the chain, as far as it was gone through. */
      root: string;
    }
  /** More than the bound allows, and nothing may, or can, be left out. */
  | { kind: 'too_long'; bound: keyof HistoryBounds }
  | LostResponse;

/**
 * @param predecessor of the follow-up, which has its answer
 * @param own the follow-up's request: `truncation: "auto"` lets the oldest turns be left out
 * @throws ReplyError from Redis, or a connection error
 */
export async function readHistory(
  store: Store,
  predecessor: JobWithAnswer,
  own: ResponsesBody,
  bounds: HistoryBounds,
): Promise<History> {
  const turns: HistoryTurn[] = [];
  let size: Size = { messages: 0, characters: 0 };
  let beyond: keyof HistoryBounds | null = null;
  let kept: string | null = null;
  let root = predecessor.job.id;
  for (let found: JobWithAnswer | null = predecessor; found !== null; ) {
    root = found.job.id;
    const turn = turnOfJob(found);
    if (beyond === null && turn.elsewhere !== null) {
      const message = `The response ${found.job.id} went on from '${turn.elsewhere}', which only its own upstream has: it cannot be carried to one that remembers nothing.`;
      return { kind: 'lost', code: 'previous_response_not_found', message };
    }
    // Beyond the bounds only what is always kept is of interest.
    const items = beyond === null ? turn.items : turn.items.filter(isSystem);
    turns.unshift(items);
    kept ??= turn.instructions;
    size = sumOf(size, sizeOf(items));
    beyond ??= boundBeyond(size, bounds);
    if (beyond !== null && own.truncation !== 'auto') return { kind: 'too_long', bound: beyond };
    if (turn.previous === null) break;
    found = await readBefore(store, turn.previous, beyond === null);
    if (found === null && beyond === null) {
      return notFound(
        turn.previous,
        'the history goes back to it, and it was deleted, its time is over, or it was never one of ours',
      );
    }
  }
  const cut = cutTurns(turns, inputItemsOf(own.input), bounds);
  if (cut.kind === 'beyond') return { kind: 'too_long', bound: cut.bound };
  const instructions = own.instructions == null ? kept : null;
  return { kind: 'history', items: cut.items, instructions, characters: sizeOf(cut.items).characters, root };
}

/** A job earlier in the chain; null where it, or the answer that is asked for, is not there. */
async function readBefore(store: Store, id: string, withAnswer: boolean): Promise<JobWithAnswer | null> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) return null;
  const [found] = await readMany(store, [{ queue, id }], withAnswer);
  return found === undefined || (withAnswer && found.answer === null) ? null : found;
}
