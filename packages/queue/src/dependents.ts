/**
 * Jobs that wait for another's end, whatever for: follow-ups of an answer not there yet, those next in a conversation,
 * followers of an equal request. `finish` writes who goes on into the outbox; from there they are put back in line.
 */
import { Job as BullJob } from 'bullmq';
import { runScript } from './scripts.ts';
import { queueOfJob, type Store, type StoreQueue } from './store.ts';
import { bullPriority } from './ticket.ts';

/** Has a job wait for another's end. 'waits': it is released then; else there is nothing to wait for (any more). */
export async function dependOn(store: Store, id: string, dependent: string): Promise<'waits' | 'ended' | 'missing'> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) return 'missing';
  const { keys } = queue;
  return (await runScript(store.redis, 'depend', [keys.job(id), keys.dependents(id)], [dependent])) as 'waits';
}

export type Share = { kind: 'lead' } | { kind: 'follow'; leader: string } | { kind: 'answered'; leader: string };

/** An answer that never comes frees its place in the cache after so long, whatever happened to its job. */
const LEADER_KEPT_MS = 86_400_000;

/** Whether a taken job is the one of its equals that is called (see share.lua). A leader becomes as urgent as who follows it. */
export async function shareCall(
  store: Store,
  queue: StoreQueue,
  { id, cache, priority }: { id: string; cache: string; priority: number },
): Promise<Share> {
  const { keys } = queue;
  const keptMs = (store.config.queues[queue.name]?.cache?.seconds ?? 0) * 1000;
  const args = [id, Math.round(keptMs), Math.max(LEADER_KEPT_MS, Math.round(keptMs))];
  const reply = await runScript(store.redis, 'share', [keys.cache(cache), keys.job(id)], args);
  const [kind, leader = '', hurry] = reply as ['lead' | 'follow' | 'answered', string?, number?];
  if (hurry === 1) await raisePriority(queue, leader, priority);
  return kind === 'lead' ? { kind } : { kind, leader };
}

/** One that has been taken meanwhile, or waits for its backoff, stays as it is. */
async function raisePriority(queue: StoreQueue, id: string, priority: number): Promise<void> {
  const job = new BullJob(queue.bull, '', {}, {}, id);
  await job.changePriority({ priority: bullPriority(priority, true) }).catch(() => undefined);
}

/** Put back in line at once. One that is on its way to the delayed ones looks again by itself. */
export async function release(store: Store, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      const queue = queueOfJob(store, id);
      if (queue === undefined) return;
      try {
        await new BullJob(queue.bull, '', {}, {}, id).promote();
      } catch (error) {
        // BullMQ: it is not among the delayed ones (any more).
        if (!(error instanceof Error) || !NOT_DELAYED.test(error.message)) throw error;
      }
    }),
  );
}

const NOT_DELAYED = /not in the delayed state|Missing key for job/i;
