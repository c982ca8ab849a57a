/** Submits what is waited for on a connection: an SDK's own second try of a request that broke off is the first one's job. */
import { type NewJob, newJobId, queueTag } from '@millrace/core';
import { findSent, noteSent, type Store, submit } from '@millrace/queue';
import type { Request } from 'express';
import { callerName } from './authenticate.ts';

/**
 * @param waits whether the client waits, or reads along, on this connection
 * @returns the job's id
 * @throws what the submission is refused with
 */
export async function submitOnConnection(store: Store, request: Request, job: NewJob, waits: boolean): Promise<string> {
  const { guard } = store.liveness;
  const caller = callerName(request);
  const tries = request.get('x-stainless-retry-count');
  const resent = waits && job.idempotency === null && tries !== undefined;
  const before = resent && Number(tries) > 0 ? await guard(() => findSent(store, caller, job)) : null;
  if (before !== null) return before;
  const id = newJobId(queueTag(job.queue));
  if (resent) void noteSent(store, caller, job, id);
  const [reply] = await guard(() => submit(store, [resent ? { ...job, id } : job]));
  if (reply === undefined || reply instanceof Error) throw reply;
  return reply.id;
}
