/** Cancelling, from anywhere: the record says so first, then whoever runs the job is told. */
import { isTerminal, type JobStatus, NotFoundError } from '@millrace/core';
import type { Redis } from 'ioredis';
import { finish } from './attempt.ts';
import { CANCEL_CHANNEL } from './keys.ts';
import { leaveQueue } from './leave-queue.ts';
import { type JobWithAnswer, readJob } from './read.ts';
import { queueOfJob, type Store, type StoreQueue } from './store.ts';

/**
 * Cancels a job that is not finished; cancelling one that is changes nothing.
 * @returns the job as it is now
 * @throws NotFoundError
 */
export async function cancelJob(store: Store, id: string): Promise<JobWithAnswer> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) throw noSuchJob(id);
  const reply = await finish(store, queue, id, {
    to: 'cancelled',
    epoch: null,
    paid: false,
    // Only written where an attempt is open: its answer will not be read, so it may be on the bill.
    end: {
      outcome: 'cancelled',
      reason: 'cancelled',
      error: null,
      upstream_id: null,
      api: null,
      usage: null,
      possibly_billed: true,
      counted: false,
    },
    answer: null,
    error: null,
    usage: null,
  });
  if (reply === 'missing') throw noSuchJob(id);
  // Also when it was terminal already: who cancels again may do so because this part was lost the first time.
  await store.redis.publish(CANCEL_CHANNEL, id);
  if (reply === 'written') await leaveQueue(store, queue, id);
  await store.commit();
  const found = await readJob(store, id);
  if (found === null) throw noSuchJob(id);
  return found;
}

export function noSuchJob(id: string): NotFoundError {
  return new NotFoundError(`There is no job with the id '${id.slice(0, 80)}'.`, 'id');
}

/** Of these jobs, those that have their outcome or are gone: an attempt at them is needless. One round trip. */
export async function endedAmong(store: Store, queue: StoreQueue, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hget(queue.keys.job(id), 'status');
  const replies = (await pipeline.exec()) ?? [];
  return ids.filter((_, index) => {
    const [error, status] = replies[index] ?? [null, null];
    if (error) throw error;
    return status === null || isTerminal(status as JobStatus);
  });
}

/**
 * Calls `cancel` with the id of every job whose running attempt has become needless, wherever that was decided. The
 * connection is the subscriber's own.
 */
export async function onCancelled(subscriber: Redis, cancel: (id: string) => void): Promise<void> {
  subscriber.on('message', (_channel, id) => cancel(id));
  await subscriber.subscribe(CANCEL_CHANNEL);
}
