/**
 * Keeps the store within its bounds: finished jobs go after `retention.seconds`, and the oldest of them sooner when a
 * queue holds more than `retention.bytesPerQueue`. Waiting jobs past their deadline are failed.
 */
import { finish } from './attempt.ts';
import { forgetBatches } from './batches/list-batches.ts';
import { type Duty, keepDuty } from './lease.ts';
import { leaveQueue } from './leave-queue.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

const EVERY_MS = 5000;
/** One step's reads; a round takes as many steps as are due, up to ROUND_STEPS, so it never holds the lease for long. */
const STEP = 200;
const ROUND_STEPS = 100;

/** Starts the duty in this process; one process of the fleet does the work. */
export function keepRetention(store: Store, holder: string): Duty {
  return keepDuty(
    store.redis,
    'retention',
    holder,
    EVERY_MS,
    async () => {
      for (const queue of store.queues.values()) {
        await expireDeadlines(store, queue);
        await removeOldJobs(store, queue);
        await forgetBatches(store, queue);
      }
    },
    (error) => store.log.warn({ err: error }, 'Retention could not run; trying again'),
  );
}

/**
 * Fails the jobs that are past their deadline, running ones too: the worker's own timer may be gone with the worker.
 * Returns how many it has looked at.
 */
export async function expireDeadlines(store: Store, queue: StoreQueue): Promise<number> {
  const [seconds] = await store.redis.time();
  const now = String(Number(seconds) * 1000);
  let looked = 0;
  for (let step = 0; step < ROUND_STEPS; step++) {
    const ids = await store.redis.zrange(queue.keys.deadlines, '-inf', now, 'BYSCORE', 'LIMIT', 0, STEP);
    for (const id of ids) await failPastDeadline(store, queue, id);
    looked += ids.length;
    if (ids.length < STEP) break;
  }
  return looked;
}

/** Ends a job as `deadline_exceeded`, if its deadline is past by Redis's clock. */
export async function failPastDeadline(store: Store, queue: StoreQueue, id: string): Promise<void> {
  const error = { code: 'deadline_exceeded', message: 'The job was not done by its deadline.' };
  const reply = await finish(store, queue, id, {
    to: 'failed',
    epoch: null,
    paid: false,
    end: {
      outcome: 'failed',
      reason: 'deadline_exceeded',
      error,
      upstream_id: null,
      api: null,
      usage: null,
      possibly_billed: true,
      counted: true,
    },
    answer: null,
    error,
    usage: null,
    onlyPastDeadline: true,
  });
  if (reply === 'missing' || reply === 'terminal') await store.redis.zrem(queue.keys.deadlines, id);
  if (reply === 'written') await leaveQueue(store, queue, id);
}

/** Removes finished jobs that are too old, then the oldest while the queue holds too many bytes. Returns how many. */
export async function removeOldJobs(store: Store, queue: StoreQueue): Promise<number> {
  const { retention } = store.config;
  const [seconds] = await store.redis.time();
  const now = String((Number(seconds) + 1) * 1000);
  const oldest = String((Number(seconds) - retention.seconds) * 1000);
  let removed = 0;
  for (let step = 0; step < ROUND_STEPS; step++) {
    const tooOld = await store.redis.zrange(queue.keys.finished, '-inf', oldest, 'BYSCORE', 'LIMIT', 0, STEP);
    const ids = tooOld.length > 0 ? tooOld : await overBytes(store, queue, retention.bytesPerQueue, now);
    if (ids.length === 0) break;
    for (const id of ids) removed += (await removeJob(store, queue, id)) ? 1 : 0;
  }
  return removed;
}

/** The oldest finished jobs that together take up what is too much. What still waits does not count: it cannot go. */
async function overBytes(store: Store, queue: StoreQueue, most: number, now: string): Promise<string[]> {
  const excess = Number((await store.redis.hget(queue.keys.counters, 'finished_bytes')) ?? 0) - most;
  if (excess <= 0) return [];
  const ids = await store.redis.zrange(queue.keys.finished, '-inf', now, 'BYSCORE', 'LIMIT', 0, STEP);
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hget(queue.keys.job(id), 'bytes');
  const sizes = (await pipeline.exec()) ?? [];
  let freed = 0;
  const enough = ids.findIndex((_, index) => {
    freed += Number(sizes[index]?.[1] ?? 0);
    return freed >= excess;
  });
  return enough === -1 ? ids : ids.slice(0, enough + 1);
}

/** Forgets a finished job: its record, result, listing and BullMQ entry. False when it is not finished or not there. */
export async function removeJob(store: Store, queue: StoreQueue, id: string): Promise<boolean> {
  return (await forgetJob(store, queue, id)) === 'removed';
}

/** What came of it, or why a job is kept: it has not ended, or its batch or flow goes on. */
export type Forgotten = 'removed' | 'missing' | 'not_finished' | 'in_batch' | 'in_flow';

/** As `removeJob`, and tells why where it was not. */
export async function forgetJob(store: Store, queue: StoreQueue, id: string): Promise<Forgotten> {
  const { keys } = queue;
  const reply = (await runScript(
    store.redis,
    'remove',
    [
      ...[keys.job(id), keys.result(id), keys.finished, keys.failures, keys.counters],
      ...['completed', 'failed', 'cancelled', 'incomplete'].map(keys.status),
      ...[keys.events(id), keys.turns(id), keys.dependents(id), keys.shadow, keys.shadowAt, keys.changes],
    ],
    [id],
  )) as Forgotten;
  if (reply !== 'removed') return reply;
  // An entry that a worker still holds goes later, by BullMQ's own bounds; without a record it means nothing.
  await queue.bull.remove(id).catch(() => undefined);
  return reply;
}
