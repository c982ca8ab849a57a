/**
 * submit → enqueue: jobs are stored in chunks, and the caller is answered only once Redis has them on disk. What was
 * refused was not stored; what was answered is not lost.
 */
import { type ConflictError, type NewJob, ShedError } from '@millrace/core';
import { enqueue, type Submitted } from './enqueue.ts';
import { translateRedisError } from './redis-refusal.ts';
import { roomIn } from './room.ts';
import type { Store, StoreQueue } from './store.ts';

/** One transaction blocks Redis while it runs; this many jobs keep that under about 20 ms. */
const JOBS_PER_TRANSACTION = 200;

/** A ShedError: this job was not stored (429: its queue is full; 503: Redis is, or its disk), though others may be. */
export type SubmitReply = Submitted | ConflictError | ShedError;

/**
 * Stores jobs, in order; all of one queue's share a transaction (of at most 200).
 * @returns for each job what it became, or why it was not stored
 * @throws ShedError 503 when Redis goes away or does not fsync in time: what was stored is not known then, and the same
 * jobs may be sent again under their idempotency keys.
 */
export async function submit(store: Store, jobs: readonly NewJob[]): Promise<SubmitReply[]> {
  const replies = new Array<SubmitReply>(jobs.length);
  for (const [name, places] of groupByQueue(jobs)) {
    const queue = store.queues.get(name);
    if (queue === undefined) throw new Error(`submit was given the queue '${name}', which nobody checked`);
    for (let from = 0; from < places.length; from += JOBS_PER_TRANSACTION) {
      const chunk = places.slice(from, from + JOBS_PER_TRANSACTION);
      const stored = await enqueueOrRefuse(
        store,
        queue,
        chunk.map((place) => jobs[place] as NewJob),
      );
      for (const [index, place] of chunk.entries()) replies[place] = stored[index] as SubmitReply;
    }
  }
  await store.commit();
  return replies;
}

function groupByQueue(jobs: readonly NewJob[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [place, job] of jobs.entries()) {
    const group = groups.get(job.queue);
    if (group === undefined) groups.set(job.queue, [place]);
    else group.push(place);
  }
  return groups;
}

/** A refusal that is sure (nothing of it is stored) is the answer to these jobs only; the others go on. */
async function enqueueOrRefuse(store: Store, queue: StoreQueue, jobs: readonly NewJob[]): Promise<SubmitReply[]> {
  try {
    const { room, refusal } = await roomIn(store, queue);
    const stored = room > 0 ? await enqueue(store, queue, jobs.slice(0, room)) : [];
    return [...stored, ...jobs.slice(stored.length).map(refusal)];
  } catch (error) {
    const refusal = translateRedisError(error);
    if (!(refusal instanceof ShedError) || refusal.code === 'redis_unavailable') throw refusal;
    return jobs.map(() => refusal);
  }
}
