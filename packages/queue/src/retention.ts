/**
 * Keeps the store within its bounds: finished jobs go after `retention.seconds`, and the oldest of them sooner when a
 * queue holds more than `retention.bytesPerQueue`. Waiting jobs past their deadline are failed.
 */
import { JOB_STATUSES, type JobStatus } from '@millrace/core';
import { finish } from './attempt.ts';
import { type Duty, keepDuty } from './lease.ts';
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
      }
    },
    (error) => store.log.warn({ err: error }, 'Retention could not run; trying again'),
  );
}

/** Fails the jobs that are past their deadline, running ones too: the worker's own timer may be gone with the worker. */
export async function expireDeadlines(store: Store, queue: StoreQueue): Promise<number> {
  const [seconds] = await store.redis.time();
  const ids = await store.redis.zrange(
    queue.keys.deadlines,
    '-inf',
    String(Number(seconds) * 1000),
    'BYSCORE',
    'LIMIT',
    0,
    STEP,
  );
  for (const id of ids) await failPastDeadline(store, queue, id);
  return ids.length;
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
  // An active job is its worker's to complete in BullMQ; a waiting one would only be taken, refused and dropped.
  if (reply === 'written') await queue.bull.remove(id).catch(() => undefined);
}

/** Removes finished jobs that are too old, then the oldest while the queue holds too many bytes. Returns how many. */
export async function removeOldJobs(store: Store, queue: StoreQueue): Promise<number> {
  const { retention } = store.config;
  const [seconds] = await store.redis.time();
  const oldest = String((Number(seconds) - retention.seconds) * 1000);
  let removed = 0;
  for (let step = 0; step < ROUND_STEPS; step++) {
    const tooOld = await store.redis.zrange(queue.keys.finished, '-inf', String(oldest), 'BYSCORE', 'LIMIT', 0, STEP);
    const ids = tooOld.length > 0 ? tooOld : await overBytes(store, queue, retention.bytesPerQueue);
    if (ids.length === 0) return removed;
    for (const id of ids) removed += (await removeJob(store, queue, id)) ? 1 : 0;
  }
  return removed;
}

async function overBytes(store: Store, queue: StoreQueue, most: number): Promise<string[]> {
  const excess = Number((await store.redis.hget(queue.keys.counters, 'kept_bytes')) ?? 0) - most;
  if (excess <= 0) return [];
  const ids = await store.redis.zrange(queue.keys.finished, '0', String(STEP - 1));
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

/** Forgets a finished job: its record, result and listing. False when it is not finished or not there. */
export async function removeJob(store: Store, queue: StoreQueue, id: string): Promise<boolean> {
  const { keys } = queue;
  const status = (await store.redis.hget(keys.job(id), 'status')) as JobStatus | null;
  const listed = status !== null && JOB_STATUSES.includes(status) ? status : 'completed';
  const reply = await runScript(
    store.redis,
    'remove',
    [keys.job(id), keys.result(id), keys.finished, keys.status(listed), keys.counters],
    [id, listed],
  );
  return reply === 'removed';
}
