/** Waits until a job has its outcome, wherever that is decided. */
import { isTerminal, type JobStatus } from '@millrace/core';
import type { Store, StoreQueue } from '../store.ts';

/**
 * @returns false when the signal was aborted before
 * @throws ShedError 503 when Redis is away
 */
export async function awaitEnd(store: Store, queue: StoreQueue, id: string, signal: AbortSignal): Promise<boolean> {
  const { guard } = store.liveness;
  let wake: () => void = () => undefined;
  const stop = (): void => wake();
  let news = false;
  const deafen = await guard(() =>
    store.told.listen(id, () => {
      news = true;
      wake();
    }),
  );
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      news = false;
      const status = await guard(() => store.redis.hget(queue.keys.job(id), 'status'));
      // Gone is ended too: whoever reads it next finds that out.
      if (status === null || isTerminal(status as JobStatus)) return true;
      if (!news && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = () => undefined;
      }
    }
    return false;
  } finally {
    signal.removeEventListener('abort', stop);
    deafen();
  }
}
