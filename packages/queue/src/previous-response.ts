/**
 * The response that a request goes on from, by `previous_response_id`. Clients know it by our id, the upstream by its
 * own; and a follow-up may be submitted before there is an answer to go on from.
 */
import { apiOf, isTerminal, type Job } from '@millrace/core';
import { type JobWithAnswer, readJob } from './read.ts';

import { queueOfJob, type Store } from './store.ts';

export type PreviousResponse =
  /** Not one of ours: the upstream may know it. */
  | { kind: 'foreign' }
  | { kind: 'unfinished' }
  /** @property upstreamId the upstream's id for it */
  | { kind: 'answered'; upstreamId: string; found: JobWithAnswer }
  /** There is nothing to go on from, and there will not be. */
  | LostResponse;

export interface LostResponse {
  kind: 'lost';
  code: 'previous_response_not_found' | 'previous_response_failed' | 'previous_response_not_stored';
  message: string;
}

/**
 * @param remembers whether the upstream is asked by its own id of a response, and may know one that is not ours
 * @throws ReplyError from Redis, or a connection error
 */
export async function findPrevious(store: Store, id: string, remembers = true): Promise<PreviousResponse> {
  if (queueOfJob(store, id) === undefined) {
    return remembers ? { kind: 'foreign' } : notFound(id, 'it is not one of ours, and the upstream remembers none');
  }
  const found = await readJob(store, id);
  if (found === null) return notFound(id, 'it was deleted, or its time is over');
  const { status } = found.job;
  if (!isTerminal(status)) return { kind: 'unfinished' };
  const upstreamId = found.answer?.response.id;
  if ((status === 'completed' || status === 'incomplete') && typeof upstreamId === 'string') {
    return (remembers ? notStored(found.job) : null) ?? { kind: 'answered', upstreamId, found };
  }
  const message = `The previous response ${id} is ${status}: there is nothing to go on from.`;
  return { kind: 'lost', code: 'previous_response_failed', message };
}

/** Chat Completions stores nothing: the Responses API does not know its answers, whose ids are those of completions. */
function notStored(job: Job): LostResponse | null {
  if (apiOf(job) !== 'chat') return null;
  const message = `The previous response ${job.id} was made by Chat Completions, which keeps no state: send the conversation so far in 'input' instead of 'previous_response_id', or configure the upstream's 'history'.`;
  return { kind: 'lost', code: 'previous_response_not_stored', message };
}

export function notFound(id: string, why: string): LostResponse {
  const message = `Previous response with id '${id}' not found: ${why}.`;
  return { kind: 'lost', code: 'previous_response_not_found', message };
}
