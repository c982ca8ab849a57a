/** Stores some jobs of one queue: each one's record and its BullMQ entry in one transaction, so both exist or neither. */
import { ConflictError, cacheKeyOf, jobIdOfLine, type NewJob, newJobId } from '@millrace/core';
import type { ChainableCommander } from 'ioredis';
import { conversationHash } from './conversation.ts';
import { claimIds, KEPT_MS } from './idempotency.ts';
import { noteWaiting } from './room.ts';
import { loadScripts, queueScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';
import { queueTicket } from './ticket.ts';

export interface Submitted {
  id: string;
  /** Milliseconds of Redis's clock. */
  createdAt: number;
}

/**
 * @returns for each job what it is stored as, or the conflict of its idempotency key, or of a retry that is to be the only one
 * @throws ReplyError from Redis (OOM …): nothing was stored. A connection error: that is not known.
 */
export async function enqueue(
  store: Store,
  queue: StoreQueue,
  jobs: readonly NewJob[],
): Promise<(Submitted | ConflictError)[]> {
  const newIds = jobs.map(
    ({ id, batch }) => id ?? (batch === null ? newJobId(queue.tag) : jobIdOfLine(batch.id, batch.place)),
  );
  const ids = await claimIds(store.redis, jobs, newIds);
  // BullMQ may have dropped its entry of a job that was sent before and has ended: it must not be added once more.
  const sentBefore = ids.filter((id, index) => typeof id === 'string' && id !== newIds[index]) as string[];
  const stamps = await stampsOf(store, queue, sentBefore);
  const adding = new Map<string, NewJob>();
  for (const [index, job] of jobs.entries()) {
    const id = ids[index];
    if (typeof id === 'string' && !stamps.has(id) && !adding.has(id)) adding.set(id, job);
  }
  if (adding.size > 0) for (const [id, stamp] of await addAll(store, queue, adding)) stamps.set(id, stamp);
  return ids.map((id, index) => {
    if (typeof id !== 'string') return id;
    const stamp = stamps.get(id);
    if (stamp === 'retried') return wasRetried(jobs[index]?.retryOf ?? '');
    return stamp === 'removed' ? wasRemoved(id) : { id, createdAt: Math.floor(Number(stamp) / 1000) };
  });
}

function wasRemoved(id: string): ConflictError {
  return new ConflictError(
    `This idempotency key stands for the job ${id}, which has ended and was removed since. It is not done again; use a new key if it should be.`,
    'idempotency_key',
    'idempotency_job_removed',
  );
}

function wasRetried(old: string): ConflictError {
  return new ConflictError(`The job ${old} was retried before, or is gone.`, 'id', 'job_retried');
}

/** The stamps of those that are there, 'removed' for those that were. */
async function stampsOf(store: Store, queue: StoreQueue, ids: readonly string[]): Promise<Map<string, string>> {
  const stamps = new Map<string, string>();
  if (ids.length === 0) return stamps;
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hmget(queue.keys.job(id), 'stamp', 'removed');
  const replies = (await pipeline.exec()) ?? [];
  for (const [index, id] of ids.entries()) {
    const [error, reply] = replies[index] ?? [null, []];
    if (error) throw error;
    const [stamp, removed] = reply as (string | null)[];
    if (typeof stamp === 'string') stamps.set(id, removed === '1' ? 'removed' : stamp);
  }
  return stamps;
}

async function addAll(
  store: Store,
  queue: StoreQueue,
  jobs: ReadonlyMap<string, NewJob>,
  again = true,
): Promise<Map<string, string>> {
  // BullMQ defines its own scripts once its connection was ready; before that a transaction could not name them.
  await queue.bull.waitUntilReady();
  const transaction = store.redis.multi();
  const bodies = new Map([...jobs].map(([id, { body }]) => [id, JSON.stringify(body)]));
  const caches = new Map([...jobs].map(([id, job]) => [id, cacheKeyOf(store.config, job)]));
  writeRecords(transaction, queue, jobs, { bodies, caches });
  for (const [id, job] of jobs) {
    const known = { characters: bodies.get(id)?.length, cache: caches.get(id) ?? null };
    queueTicket(transaction, queue, id, job, known);
  }
  const replies = (await transaction.exec()) ?? [];
  const [error] = replies.find(([failure]) => failure) ?? [];
  if (error?.message.startsWith('NOSCRIPT') && again) {
    await loadScripts(store.redis);
    // Whatever part of it was done already is done once: both scripts know an id that is there.
    return addAll(store, queue, jobs, false);
  }
  if (error) throw error;
  const stamps = replies[0]?.[1] as (string | number)[];
  noteWaiting(queue, Number(stamps[jobs.size]));
  return new Map([...jobs.keys()].map((id, index) => [id, String(stamps[index])]));
}

function writeRecords(
  transaction: ChainableCommander,
  { keys }: StoreQueue,
  jobs: ReadonlyMap<string, NewJob>,
  { bodies, caches }: { bodies: ReadonlyMap<string, string>; caches: ReadonlyMap<string, string | null> },
): void {
  const args: (string | number)[] = [];
  for (const [id, job] of jobs) {
    const fields = fieldsOf(job, bodies.get(id) ?? '{}', caches.get(id) ?? null);
    const bytes = fields.reduce((sum, field) => sum + Buffer.byteLength(field), 0);
    const keyMs = job.idempotency === null ? 0 : KEPT_MS;
    args.push(
      id,
      job.delayMs,
      job.deadline ?? '',
      keyMs,
      conversationHash(job.body) ?? '',
      bytes,
      job.retryOf ?? '',
      job.once ? 1 : 0,
      fields.length,
      ...fields,
    );
  }
  queueScript(
    transaction,
    'submit',
    [keys.status('queued'), keys.clock, keys.counters, keys.deadlines, keys.changes, ...[...jobs.keys()].map(keys.job)],
    args,
  );
}

function fieldsOf(job: NewJob, body: string, cache: string | null): string[] {
  const fields: string[] = ['type', job.type, 'priority', String(job.priority), 'body', body];
  if (job.model !== null) fields.push('model', job.model);
  if (job.metadata !== null) fields.push('metadata', JSON.stringify(job.metadata));
  if (job.webhookUrl !== null) fields.push('webhook_url', job.webhookUrl);
  if (job.retryOf !== null) fields.push('retry_of', job.retryOf);
  if (job.batch !== null) {
    const { id: batch, customId, chat } = job.batch;
    fields.push('batch', batch, 'custom_id', customId, ...(chat ? ['chat', '1'] : []));
  }
  if (cache !== null) fields.push('cache', cache);
  if (job.flow !== undefined) fields.push('flow', job.flow);
  if (job.step !== undefined) fields.push('step', job.step);
  if (job.key !== null) fields.push('key', job.key);
  if (job.stream) fields.push('stream', '1');
  if (job.forget) fields.push('forget', '1');
  return fields;
}
