/** A job that was done again knows as what: the new one's `retry_of`, the other way round. */
import { runScript } from './scripts.ts';
import { queueOfJob, type Store } from './store.ts';

/** Notes the newest job that was made of another. To be called once that is submitted. */
export async function noteRetried(store: Store, id: string, retriedAs: string): Promise<void> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) return;
  await runScript(store.redis, 'retried', [queue.keys.job(id), queue.keys.changes], [id, retriedAs]);
}
