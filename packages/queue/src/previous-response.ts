/**
 * The response that a request goes on from, by `previous_response_id`. Clients know it by our id, the upstream by its
 * own; and a follow-up may be submitted before there is an answer to go on from.
 */
import { apiOf, isTerminal, type Job } from '@millrace/core';
import { readJob } from './read.ts';
import { queueOfJob, type Store } from './store.ts';

export type PreviousResponse =
  /** Not one of ours: the upstream may know it. */
  | { kind: 'foreign' }
  | { kind: 'unfinished' }
  /** @property upstreamId the upstream's id for it */
  | { kind: 'answered'; upstreamId: string }
  /** There is nothing to go on from, and there will not be. */
  | { kind: 'lost'; code: LostCode; message: string };

type LostCode = 'previous_response_not_found' | 'previous_response_failed' | 'previous_response_not_stored';

/** @throws ReplyError from Redis, or a connection error */
export async function findPrevious(store: Store, id: string): Promise<PreviousResponse> {
  if (queueOfJob(store, id) === undefined) return { kind: 'foreign' };
  const found = await readJob(store, id);
  if (found === null) {
    const message = `Previous response with id '${id}' not found: it was deleted, or its time is over.`;
    return { kind: 'lost', code: 'previous_response_not_found', message };
  }
  const { status } = found.job;
  if (!isTerminal(status)) return { kind: 'unfinished' };
  const unstored = notStored(found.job);
  if (unstored !== null) return unstored;
  const upstreamId = found.answer?.response.id;
  if ((status === 'completed' || status === 'incomplete') && typeof upstreamId === 'string') {
    return { kind: 'answered', upstreamId };
  }
  const message = `The previous response ${id} is ${status}: there is nothing to go on from.`;
  return { kind: 'lost', code: 'previous_response_failed', message };
}

/** Chat Completions stores nothing: the Responses API does not know its answers, whose ids are those of completions. */
function notStored(job: Job): Extract<PreviousResponse, { kind: 'lost' }> | null {
  if (apiOf(job) !== 'chat') return null;
  const message = `The previous response ${job.id} was made by Chat Completions, which keeps no state: send the conversation so far in 'input' instead of 'previous_response_id'.`;
  return { kind: 'lost', code: 'previous_response_not_stored', message };
}
