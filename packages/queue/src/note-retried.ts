/** A job that was done again knows as what: the new one's `retry_of`, the other way round. */
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

/** An old job's id, and the id of the newest job that was made of it. */
export type Retried = [id: string, retriedAs: string];

/** Notes what jobs of a queue were retried as; those that are gone stay gone. To be called once the new ones are there. */
export async function noteRetried(store: Store, { keys }: StoreQueue, retried: readonly Retried[]): Promise<void> {
  if (retried.length === 0) return;
  await runScript(store.redis, 'retried', [keys.changes, ...retried.map(([id]) => keys.job(id))], retried.flat());
}
