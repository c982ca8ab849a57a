/** Listings of batches, newest first, and those that workers have to look after. */
import { InvalidRequestError } from '@millrace/core';
import type { Store, StoreQueue } from '../store.ts';
import { type Batch, queueOfBatch, readBatches } from './batch.ts';

/** Records may hold a thousand lines' errors each. */
const READ_AT_ONCE = 10;

/**
 * A page of batches.
 * @throws InvalidRequestError when the batch to begin after is not there (any more)
 */
export async function listBatches(
  store: Store,
  limit: number,
  after: string | undefined,
): Promise<{ batches: Batch[]; hasMore: boolean }> {
  const before = after === undefined ? null : await createdAt(store, after);
  const found: { id: string; at: number }[] = [];
  for (const queue of store.queues.values()) {
    const most = before === null ? '+inf' : String(before);
    const flat = await store.redis.zrange(
      ...([queue.keys.batches, most, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit + 2, 'WITHSCORES'] as const),
    );
    for (let i = 0; i < flat.length; i += 2) found.push({ id: flat[i] as string, at: Number(flat[i + 1]) });
  }
  found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const page = after === undefined ? found : found.slice(found.findIndex(({ id }) => id === after) + 1);
  const shown = page.slice(0, limit).map(({ id }) => id);
  const batches: Batch[] = [];
  for (let from = 0; from < shown.length; from += READ_AT_ONCE) {
    batches.push(...(await inOrder(store, shown.slice(from, from + READ_AT_ONCE))));
  }
  return { batches, hasMore: page.length > limit };
}

async function inOrder(store: Store, ids: readonly string[]): Promise<Batch[]> {
  const found = new Map<string, Batch>();
  for (const [queue, ofQueue] of Map.groupBy(ids, (id) => queueOfBatch(store, id))) {
    if (queue === undefined) continue;
    for (const batch of await readBatches(store, queue, ofQueue)) found.set(batch.id, batch);
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}

async function createdAt(store: Store, id: string): Promise<number> {
  const queue = queueOfBatch(store, id);
  const at = queue === undefined ? null : await store.redis.zscore(queue.keys.batches, id);
  if (at !== null) return Number(at);
  throw new InvalidRequestError(`There is no batch '${id.slice(0, 80)}' to begin after.`, 'after', 'invalid_value');
}

/** At most this many of a queue are worked at in one round; the others wait, the oldest first. */
const OPEN_LOOKED_AT = 100;

/** Batches that have not ended, the oldest first. */
export async function openBatches(store: Store): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (const queue of store.queues.values()) {
    const ids = await store.redis.zrange(queue.keys.openBatches, '0', String(OPEN_LOOKED_AT - 1));
    batches.push(...(await readBatches(store, queue, ids)));
  }
  return batches;
}

/** A batch that has not ended and has this file as its input; null: there is none. */
export async function openBatchOfFile(store: Store, fileId: string): Promise<string | null> {
  for (const queue of store.queues.values()) {
    for (let at = 0; ; at += OPEN_LOOKED_AT) {
      const ids = await store.redis.zrange(queue.keys.openBatches, String(at), String(at + OPEN_LOOKED_AT - 1));
      const batches = await readBatches(store, queue, ids);
      const reading = batches.find((batch) => batch.input_file_id === fileId);
      if (reading !== undefined) return reading.id;
      if (ids.length < OPEN_LOOKED_AT) break;
    }
  }
  return null;
}

/** Longer than a batch's time and what its record is kept after it. */
const LISTED_MS = 90 * 86_400_000;

/** Lists no more batches whose records are gone. */
export async function forgetBatches({ redis }: Store, { keys }: StoreQueue): Promise<void> {
  await redis.zremrangebyscore(keys.batches, '-inf', String(Date.now() - LISTED_MS));
}
