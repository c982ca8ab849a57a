/**
 * What a job goes on from, and the request that makes of it. A conversation is its upstream's affair, and only waits for
 * the job before. Of `previous_response_id`: an upstream that remembers is asked by its own id of the
 * response before; one that does not is given all that was said.
 */
import { type Config, type HistoryBounds, historyOf, inputItemsOf, type ResponsesBody } from '@millrace/core';
import {
  beforeInConversation,
  findPrevious,
  type History,
  readHistory,
  readJob,
  type Store,
  type StoreQueue,
  type Ticket,
} from '@millrace/queue';
import type { PreviousIds } from './event-frames.ts';

export type GoesOnFrom =
  /** Nothing. */
  | { kind: 'nothing' }
  /** Not one of ours: the upstream may know it. */
  | { kind: 'foreign' }
  | { kind: 'unfinished'; id: string }
  /** The upstream has it, by another id. */
  | { kind: 'answered'; ids: PreviousIds }
  | { kind: 'carried'; ids: PreviousIds; history: Extract<History, { kind: 'history' }> }
  /** There is nothing to go on from, or too much; and that will not change. */
  | { kind: 'lost'; code: string; message: string };

/** @throws ReplyError from Redis, or a connection error */
export async function goesOnFrom(
  store: Store,
  queue: StoreQueue,
  id: string,
  { previous, conversation }: Ticket,
): Promise<GoesOnFrom> {
  if (conversation !== undefined) {
    const before = await beforeInConversation(store, queue, id, conversation);
    return before === null ? { kind: 'nothing' } : { kind: 'unfinished', id: before };
  }
  if (previous === undefined) return { kind: 'nothing' };
  const bounds = historyOf(store.config, queue.name);
  const before = await findPrevious(store, previous, bounds === undefined);
  switch (before.kind) {
    case 'unfinished':
      return { kind: 'unfinished', id: previous };
    case 'lost':
    case 'foreign':
      return before;
    case 'answered': {
      if (bounds === undefined) return { kind: 'answered', ids: { ours: previous, upstreams: before.upstreamId } };
      // One that is gone has nothing to ask, which is found out when it is begun.
      const own = ((await readJob(store, id))?.job.body ?? {}) as ResponsesBody;
      const history = await readHistory(store, before.found, own, bounds);
      if (history.kind === 'lost') return history;
      if (history.kind === 'too_long') return tooLong(store.config, queue.name, history.bound, own);
      return { kind: 'carried', ids: { ours: previous, upstreams: null }, history };
    }
  }
}

/** The job's request as it is sent. */
export function goingOn(body: ResponsesBody, from: GoesOnFrom): ResponsesBody {
  if (from.kind === 'answered') return { ...body, previous_response_id: from.ids.upstreams };
  if (from.kind !== 'carried') return body;
  const { previous_response_id: _, ...own } = body;
  const { items, instructions } = from.history;
  return {
    ...own,
    ...(instructions === null ? {} : { instructions }),
    input: [...items, ...inputItemsOf(own.input)],
  };
}

/** The ticket of a job that carries its history: there is more to be read than was submitted. */
export function withCarried(ticket: Ticket, from: GoesOnFrom): Ticket {
  if (from.kind !== 'carried') return ticket;
  const { characters, instructions } = from.history;
  return { ...ticket, characters: (ticket.characters ?? 0) + characters + (instructions?.length ?? 0) };
}

function tooLong(
  config: Config,
  queue: string,
  bound: keyof HistoryBounds,
  { truncation }: ResponsesBody,
): Extract<GoesOnFrom, { kind: 'lost' }> {
  const most = historyOf(config, queue)?.[bound];
  const what = bound === 'maxMessages' ? 'messages' : 'tokens (estimated)';
  const where = `upstreams.${config.queues[queue]?.upstream}.history.${bound}`;
  const remedy =
    truncation === 'auto'
      ? `What must be kept (system messages, calls and their outputs) is more than that. Raise ${where}.`
      : `Send truncation: "auto" to leave out the oldest turns, or raise ${where}.`;
  const message = `The history that this request goes on from has more than ${most} ${what}. ${remedy}`;
  return { kind: 'lost', code: 'context_length_exceeded', message };
}
