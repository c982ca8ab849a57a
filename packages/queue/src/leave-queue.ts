/** What becomes of the BullMQ entry of a job that was ended from outside: cancelled, or past its deadline. */
import type { Store, StoreQueue } from './store.ts';

/**
 * A waiting entry would only be taken, refused and dropped, so it is removed at once; an active one cannot be, nor need
 * it be. But where a response may still be made upstream, the entry is left, due now: whoever takes it cancels that.
 */
export async function leaveQueue(store: Store, queue: StoreQueue, id: string): Promise<void> {
  const held = await store.redis.hexists(queue.keys.job(id), 'checkpoint');
  if (held === 0) {
    await queue.bull.remove(id).catch(() => undefined);
    return;
  }
  // Not delayed, or gone meanwhile: it will be taken, or need not be.
  await queue.bull
    .getJob(id)
    .then(
      (entry) => entry?.promote(),
      () => undefined,
    )
    .catch(() => undefined);
}
