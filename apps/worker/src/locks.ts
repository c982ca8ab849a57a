/**
 * Who lives keeps its jobs. BullMQ lets a lock go when it could not be renewed in time (Redis was away for longer than
 * locks live) and takes back every job without one. Here a job that still runs gets its lock back, and nothing is taken
 * back until a lock's time after Redis was back: else an outage would have every call under way made, and paid, twice.
 */
import type { Log } from '@millrace/core';
import type { Store, StoreQueue } from '@millrace/queue';
import type { Running } from './running.ts';

/** Checking for lost jobs this often a lock's time; the check costs one read of the active list. */
const CHECKS_PER_LOCK = 3;
const LEAST_CHECK_MS = 1000;

/** How often jobs without a lock are looked for, and so how long BullMQ holds off a second look. */
export function checkEveryMs(lockMs: number): number {
  return Math.max(LEAST_CHECK_MS, Math.ceil(lockMs / CHECKS_PER_LOCK));
}

/** Locks again what runs here and is nobody else's: the lock of a job that another worker has taken stays his. */
export async function lockAgain(
  store: Store,
  queue: StoreQueue,
  running: Running,
  ids: readonly string[],
  lockMs: number,
): Promise<void> {
  const pipeline = store.redis.pipeline();
  for (const run of ids.flatMap(running.of)) {
    pipeline.set(`${queue.bull.toKey(run.id)}:lock`, run.token, 'PX', Math.ceil(lockMs), 'NX');
  }
  await pipeline.exec();
}

/**
 * Takes back the jobs of workers that are gone, every third of a lock's time.
 * @param takeBack BullMQ's own check; answers the ids it has put back. A job goes at the second check without a lock.
 * @returns stops it
 */
export function keepTakingBack(
  store: Store,
  queue: StoreQueue,
  lockMs: number,
  takeBack: () => Promise<string[]>,
  log: Log,
  onError: (error: Error) => void,
): () => void {
  let backAt = Number.NEGATIVE_INFINITY;
  const back = (): void => {
    backAt = performance.now();
  };
  store.redis.on('ready', back);
  let checking = false;
  const check = (): void => {
    if (checking || store.redis.status !== 'ready' || performance.now() - backAt < lockMs) return;
    checking = true;
    takeBack()
      .then((ids) => {
        for (const id of ids) log.warn({ job_id: id, queue: queue.name }, 'A job lost its worker and was taken back');
      })
      .catch(onError)
      .finally(() => {
        checking = false;
      });
  };
  check();
  const timer = setInterval(check, checkEveryMs(lockMs));
  timer.unref();
  return () => {
    clearInterval(timer);
    store.redis.off('ready', back);
  };
}
