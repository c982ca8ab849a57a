/** For who reads all jobs of a queue once, page by page: which there are, newest first, and which data this is. */
import { randomUUID } from 'node:crypto';
import { JOB_STATUSES } from '@millrace/core';
import { IDENTITY_KEY } from './keys.ts';
import { queueScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

export interface WalkPage {
  ids: string[];
  /** To walk on from; null: that was all. */
  next: number | null;
}

/**
 * A page of a queue's jobs of any status, newest first, read at one moment.
 * @param before the stamp (µs) the page begins below; null: with the newest
 */
export async function walkJobs(
  store: Store,
  { keys }: StoreQueue,
  before: number | null,
  count: number,
): Promise<WalkPage> {
  const pipeline = store.redis.pipeline();
  queueScript(pipeline, 'list', JOB_STATUSES.map(keys.status), [before === null ? '+inf' : `(${before}`, count]);
  const [[error, reply] = [null, []]] = (await pipeline.exec()) ?? [];
  if (error) throw error;
  const flat = reply as string[];
  const found: { id: string; stamp: number }[] = [];
  for (let i = 0; i < flat.length; i += 2) found.push({ id: flat[i] as string, stamp: Number(flat[i + 1]) });
  found.sort((a, b) => b.stamp - a.stamp);
  const page = found.slice(0, count);
  const last = page.at(-1);
  return { ids: page.map(({ id }) => id), next: last === undefined || page.length < count ? null : last.stamp };
}

/** How many jobs a queue has, of all statuses. */
export async function countJobs(store: Store, { keys }: StoreQueue): Promise<number> {
  const pipeline = store.redis.pipeline();
  for (const status of JOB_STATUSES) pipeline.zcard(keys.status(status));
  return ((await pipeline.exec()) ?? []).reduce((sum, [error, count]) => {
    if (error) throw error;
    return sum + Number(count);
  }, 0);
}

/** What tells this data from any other: it comes and goes with it. */
export async function readIdentity(store: Store): Promise<string> {
  const mine = randomUUID();
  return (await store.redis.set(IDENTITY_KEY, mine, 'NX', 'GET')) ?? mine;
}
