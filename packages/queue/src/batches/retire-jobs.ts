/** A batch's files are written: from now on its jobs are kept as long as any others. */
import type { Store, StoreQueue } from '../store.ts';

const AT_ONCE = 500;

/** @param ids of jobs that have ended */
export async function retireJobs(store: Store, queue: StoreQueue, ids: readonly string[]): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const scored = ids.slice(from, from + AT_ONCE).flatMap((id) => [now, id]);
    await store.redis.zadd(queue.keys.finished, 'XX', ...scored);
  }
}
