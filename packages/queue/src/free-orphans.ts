/**
 * Frees the jobs of a worker whose heartbeat is gone, long before their locks run out. Any process may do it, and
 * several at once: a lock is taken from the dead in one step with making sure that they are, and BullMQ's own script
 * then puts the job back. Whoever dies in between leaves a lock that runs out soon.
 */
import { randomUUID } from 'node:crypto';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

const FREED = 'freed:';
/** Between the two steps; they are milliseconds apart. */
const CLAIM_MS = 5000;
/** Who looks at a job of the dead later still learns that its worker crashed. */
const REMEMBERED_MS = 86_400_000;
/** Jobs freed at once: a dead worker had hundreds in flight at most, and each costs two short commands. */
const STEP = 100;

/**
 * Puts the orphans of one dead worker at the head of their line.
 * @returns how many; 0 when the worker lives after all
 * @throws ReplyError from Redis, or a connection error; what was not freed then is by the next one who tries
 */
export async function freeOrphans(store: Store, queue: StoreQueue, worker: string): Promise<number> {
  const { bull, keys } = queue;
  const active = await store.redis.lrange(bull.toKey('active'), 0, -1);
  const token = `${FREED}${randomUUID()}`;
  let freed = 0;
  for (let from = 0; from < active.length; from += STEP) {
    const moved = await Promise.all(
      active.slice(from, from + STEP).map(async (id) => {
        const entry = bull.toKey(id);
        const scriptKeys = [keys.workers, keys.beats, entry, `${entry}:lock`];
        const claimed = await runScript(store.redis, 'claim', scriptKeys, [worker, token, CLAIM_MS, FREED]);
        if (claimed !== 1) return 0;
        await bull.getBackend().moveJobFromActiveToWait(id, token);
        store.log.warn({ job_id: id, queue: queue.name, worker }, 'A job lost its worker and was taken back');
        return 1;
      }),
    );
    freed += moved.reduce<number>((sum, one) => sum + one, 0);
  }
  // A prioritised job that is put back rings no bell; without this an idle peer would notice it seconds later.
  if (freed > 0) await store.redis.zadd(bull.toKey('marker'), 0, '0');
  await runScript(store.redis, 'bury', [keys.workers, keys.beats], [worker, REMEMBERED_MS]);
  return freed;
}
