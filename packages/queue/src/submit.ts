/**
 * submit → enqueue: the record and BullMQ's job are written in one transaction, and the caller is answered only once
 * Redis has them on disk. What was refused was not stored; what was answered is not lost.
 */
import { type ConflictError, type NewJob, newJobId, ShedError } from '@millrace/core';
import { Job as BullJob, type JobsOptions } from 'bullmq';
import type { ChainableCommander } from 'ioredis';
import { claimIds } from './idempotency.ts';
import { translateRedisError } from './liveness.ts';
import { queueScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

/** What BullMQ carries: enough for its dashboard and for routing, never the request itself. */
export interface Ticket {
  type: string;
  model: string | null;
}

export interface Submitted {
  id: string;
  /** Milliseconds of Redis's clock. */
  createdAt: number;
}

/** Finished BullMQ entries are only for bull-board; the record and its result live by our own retention. */
const BULL_KEPT = { age: 7 * 86_400, count: 10_000 };
/** How soon a full queue is worth another try: long enough for workers to make room. */
const FULL_RETRY_SECONDS = 5;
/** One transaction blocks Redis while it runs; this many jobs keep that under about 20 ms. */
const JOBS_PER_TRANSACTION = 200;

export type SubmitReply = Submitted | ConflictError;

/**
 * Stores jobs, in order; all of one queue's share a transaction (of at most 200).
 * @returns for each job what it became, or the conflict of its idempotency key
 * @throws ShedError 429 when a queue is full, 503 when Redis is; nothing of that queue's chunk was stored then.
 */
export async function submit(store: Store, jobs: readonly NewJob[]): Promise<SubmitReply[]> {
  const results = new Array<SubmitReply>(jobs.length);
  for (const [name, places] of groupByQueue(jobs)) {
    const queue = store.queues.get(name);
    if (queue === undefined) throw new Error(`submit was given the queue '${name}', which nobody checked`);
    for (let from = 0; from < places.length; from += JOBS_PER_TRANSACTION) {
      const chunk = places.slice(from, from + JOBS_PER_TRANSACTION);
      await refuseWhenFull(store, queue, chunk.length);
      const stored = await enqueue(
        store,
        queue,
        chunk.map((place) => jobs[place] as NewJob),
      );
      for (const [index, place] of chunk.entries()) results[place] = stored[index] as SubmitReply;
    }
  }
  await store.commit();
  return results;
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

async function refuseWhenFull(store: Store, queue: StoreQueue, adding: number): Promise<void> {
  const most = store.config.queues[queue.name]?.maxWaiting ?? Number.POSITIVE_INFINITY;
  const waiting = await store.redis.zcard(queue.keys.status('queued'));
  if (waiting + adding <= most) return;
  throw new ShedError(
    429,
    `The queue '${queue.name}' is full: ${waiting} jobs wait, ${most} may (queues.${queue.name}.maxWaiting). Try again later.`,
    'queue_full',
    FULL_RETRY_SECONDS,
  );
}

async function enqueue(store: Store, queue: StoreQueue, jobs: readonly NewJob[]): Promise<SubmitReply[]> {
  const ids = await claimIds(
    store.redis,
    jobs,
    jobs.map(() => newJobId(queue.tag)),
  );
  // BullMQ defines its own scripts once its connection was ready; before that a transaction could not name them.
  await queue.bull.waitUntilReady();
  const transaction = store.redis.multi();
  const stamps = new Map<string, number>();
  for (const [index, job] of jobs.entries()) {
    const id = ids[index];
    if (typeof id !== 'string' || stamps.has(id)) continue;
    stamps.set(id, stamps.size * 2);
    writeRecord(transaction, queue, id, job);
    addToBull(transaction, queue, id, job);
  }
  if (stamps.size === 0) return ids as ConflictError[];
  const replies = await transaction.exec().catch((error: unknown) => {
    throw translateRedisError(error);
  });
  for (const [error] of replies ?? []) if (error) throw translateRedisError(error);
  return ids.map((id) => {
    if (typeof id !== 'string') return id;
    const stamp = Number(replies?.[stamps.get(id) ?? 0]?.[1]);
    return { id, createdAt: Math.floor(stamp / 1000) };
  });
}

function writeRecord(transaction: ChainableCommander, queue: StoreQueue, id: string, job: NewJob): void {
  const { keys } = queue;
  const fields: string[] = ['type', job.type, 'priority', String(job.priority), 'body', JSON.stringify(job.body)];
  if (job.model !== null) fields.push('model', job.model);
  if (job.metadata !== null) fields.push('metadata', JSON.stringify(job.metadata));
  if (job.webhookUrl !== null) fields.push('webhook_url', job.webhookUrl);
  if (job.retryOf !== null) fields.push('retry_of', job.retryOf);
  const bytes = fields.reduce((sum, field) => sum + field.length, 0);
  queueScript(
    transaction,
    'submit',
    [keys.job(id), keys.status('queued'), keys.clock, keys.counters, keys.deadlines],
    [id, job.delayMs, job.deadline ?? '', bytes, ...fields],
  );
}

function addToBull(transaction: ChainableCommander, queue: StoreQueue, id: string, job: NewJob): void {
  const options: JobsOptions = {
    jobId: id,
    // BullMQ serves an unset priority before every set one, so every job has one.
    priority: job.priority + 1,
    removeOnComplete: BULL_KEPT,
    removeOnFail: BULL_KEPT,
    ...(job.delayMs > 0 ? { delay: job.delayMs } : {}),
  };
  const ticket: Ticket = { type: job.type, model: job.model };
  // BullMQ runs its script on whatever has runCommand: here our transaction, so that both writes are one.
  const client = {
    runCommand: (name: string, args: unknown[]) => {
      (transaction as unknown as Record<string, (args: unknown[]) => unknown>)[name]?.(args);
      return client;
    },
  };
  // The promise only carries the queued transaction back; the replies come from exec().
  void new BullJob(queue.bull, job.type, ticket, options, id).addJob(
    client as unknown as Parameters<BullJob['addJob']>[0],
  );
}
