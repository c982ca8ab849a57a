/** Making a batch, and moving it on: every change of its status goes through one script. */
import { createHash } from 'node:crypto';
import { type BatchEndpoint, ConflictError, canonical, newBatchId } from '@millrace/core';
import { KEPT_MS } from '../idempotency.ts';
import { idempotencyKey, leaseKey } from '../keys.ts';
import { runScript } from '../scripts.ts';
import type { Store, StoreQueue } from '../store.ts';
import { type Batch, type BatchStatus, ENDED_STATUSES, readBatch } from './batch.ts';

const ENDED_KEPT_MS = 30 * 86_400_000;

export interface NewBatch {
  queue: StoreQueue;
  endpoint: BatchEndpoint;
  inputFileId: string;
  completionWindow: string;
  windowMs: number;
  priority: number;
  metadata: Record<string, string> | null;
  outputExpiresSeconds: number | null;
  /** The name of the API key that makes it; null: nobody's. */
  key: string | null;
  idempotency: { caller: string; key: string } | null;
}

/**
 * Stores a batch, to be validated by a worker. On disk when it resolves.
 * @throws ConflictError when its idempotency key stands for another one
 */
export async function createBatch(store: Store, batch: NewBatch): Promise<Batch> {
  const { queue, metadata, outputExpiresSeconds, key } = batch;
  const id = await claimId(store, batch, newBatchId(queue.tag));
  const now = Date.now();
  const fields: Record<string, string | number> = {
    ...{ status: 'validating', endpoint: batch.endpoint, input_file_id: batch.inputFileId, validating_at: now },
    ...{ completion_window: batch.completionWindow, created_at: now, expires_at: now + batch.windowMs },
    ...{ priority: batch.priority, total: 0, completed: 0, failed: 0, enqueued: 0 },
    ...(key === null ? {} : { key }),
    ...(metadata === null ? {} : { metadata: JSON.stringify(metadata) }),
    ...(outputExpiresSeconds === null ? {} : { output_expires_seconds: outputExpiresSeconds }),
  };
  if ((await store.redis.exists(queue.keys.batch(id))) === 0) {
    const replies = await store.redis
      .multi()
      .hset(queue.keys.batch(id), fields)
      .zadd(queue.keys.batches, now, id)
      .zadd(queue.keys.openBatches, now, id)
      .exec();
    for (const [error] of replies ?? []) if (error) throw error;
  }
  await store.commit();
  const found = await readBatch(store, id);
  if (found === null) throw new Error(`the batch ${id} was stored and is not there`);
  return found;
}

/** The id a caller's key stands for already, or this one from now on. */
async function claimId({ redis }: Store, { idempotency, key: _, ...what }: NewBatch, id: string): Promise<string> {
  if (idempotency === null) return id;
  const print = createHash('sha256')
    .update(canonical({ ...what, queue: what.queue.name }))
    .digest('hex');
  const key = idempotencyKey(idempotency.caller, `batch ${idempotency.key}`);
  const earlier = await redis.set(key, `${id} ${print}`, 'PX', KEPT_MS, 'NX', 'GET');
  if (earlier === null) return id;
  const [earlierId, earlierPrint] = earlier.split(' ');
  if (earlierPrint === print && earlierId !== undefined) return earlierId;
  throw new ConflictError(
    'This idempotency key was used for another batch. Use a new key, or send the same body.',
    'Idempotency-Key',
    'idempotency_conflict',
  );
}

/**
 * Moves a batch to another status.
 * @param from the statuses it may be in
 * @returns true when it was in one of them
 */
export async function turnBatch(
  store: Store,
  { id, queue }: Pick<Batch, 'id' | 'queue'>,
  from: readonly BatchStatus[],
  to: BatchStatus,
  fields: Record<string, string | number> = {},
): Promise<boolean> {
  const ended = (ENDED_STATUSES as readonly string[]).includes(to);
  const before = (await runScript(
    store.redis,
    'turn-batch',
    [queue.keys.batch(id), queue.keys.openBatches],
    [id, to, ended ? 1 : 0, ENDED_KEPT_MS, from.join(' '), ...Object.entries(fields).flat()],
  )) as string;
  return (from as readonly string[]).includes(before);
}

/**
 * Notes that so many of its requests have become jobs.
 * @returns the status it is in
 */
export async function noteEnqueued({ redis }: Store, { id, queue }: Batch, count: number): Promise<BatchStatus> {
  const key = queue.keys.batch(id);
  const replies = (await redis.pipeline().hset(key, 'enqueued', count).hget(key, 'status').exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  return replies[1]?.[1] as BatchStatus;
}

/** Whether this process may work at the batch, for so long; to be asked again before that is over. */
export async function holdBatch(store: Store, id: string, holder: string, ms: number): Promise<boolean> {
  return (await runScript(store.redis, 'lease', [leaseKey(`batch:${id}`)], [holder, ms])) === 1;
}
