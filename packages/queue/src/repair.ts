/**
 * Puts jobs back into BullMQ that nobody would take otherwise: the record says that the job waits or runs, but BullMQ
 * has no entry for it, or has ended that. It takes a fault to get there (an entry removed by hand, a worker that broke
 * between two writes); but an accepted job must not wait for ever.
 */
import type { JobStatus } from '@millrace/core';
import { jobFromRecord } from './job-record.ts';
import { type Duty, keepDuty } from './lease.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';
import { queueTicket } from './ticket.ts';

const EVERY_MS = 30_000;
/** Jobs looked at by one script: under a millisecond of Redis's time. */
const STEP = 200;
/** A round ends after this many steps and the next one goes on there: a million waiting jobs are gone through in 25 min. */
const ROUND_STEPS = 100;

/** Starts the duty in this process; one process of the fleet does the work. */
export function keepRepair(store: Store, holder: string): Duty {
  const cursors = new Map<string, number>();
  return keepDuty(
    store.redis,
    'repair',
    holder,
    EVERY_MS,
    async () => {
      for (const queue of store.queues.values()) {
        for (const status of ['in_progress', 'queued'] as const) {
          const place = `${queue.name} ${status}`;
          cursors.set(place, await repairQueue(store, queue, status, cursors.get(place) ?? 0));
        }
      }
    },
    (error) => store.log.warn({ err: error }, 'Stranded jobs could not be looked for; trying again'),
  );
}

/**
 * Looks at the unfinished jobs of a status from the place `from` on, oldest first.
 * @returns the place to go on from; 0 when all were seen
 */
export async function repairQueue(
  store: Store,
  queue: StoreQueue,
  status: Extract<JobStatus, 'queued' | 'in_progress'>,
  from = 0,
): Promise<number> {
  for (let step = 0; step < ROUND_STEPS; step++) {
    const listed = await store.redis.zrange(
      queue.keys.status(status),
      `(${from}`,
      '+inf',
      'BYSCORE',
      'LIMIT',
      0,
      STEP,
      'WITHSCORES',
    );
    const ids = listed.filter((_, index) => index % 2 === 0);
    for (const [id, ended] of await strandedAmong(store, queue, ids)) await putBack(store, queue, id, ended);
    if (ids.length < STEP) return 0;
    from = Number(listed.at(-1));
  }
  return from;
}

/** Each with whether BullMQ has ended its entry; else it has none. */
async function strandedAmong(store: Store, queue: StoreQueue, ids: readonly string[]): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  if (ids.length === 0) return found;
  const { bull, keys } = queue;
  const entries = ids.flatMap((id) => [keys.job(id), bull.toKey(id)]);
  const stranded = [bull.toKey('completed'), bull.toKey('failed'), ...entries];
  const replies = (await runScript(store.redis, 'stranded', stranded, ids)) as string[];
  for (let i = 0; i < replies.length; i += 2) found.set(String(replies[i]), replies[i + 1] === 'ended');
  return found;
}

/**
 * @param ended BullMQ is told of an end only after the record: where it knows of one that the record does not, that was
 * lost (with a primary that failed over), and nobody runs the job any more.
 */
async function putBack(store: Store, queue: StoreQueue, id: string, ended: boolean): Promise<void> {
  const [seconds] = await store.redis.time();
  const now = Number(seconds) * 1000;
  const job = jobFromRecord(id, queue.name, await store.redis.hgetall(queue.keys.job(id)));
  if (job === null) return;
  if (job.status === 'in_progress' && !ended && mayStillRun(store, queue, job.started_at, now)) return;
  await queue.bull.remove(id);
  const transaction = store.redis.multi();
  const delayMs = Math.max(0, (job.delayed_until ?? 0) - now);
  queueTicket(transaction, queue, id, { ...job, delayMs }, { cache: job.cache });
  const replies = (await transaction.exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  store.log.warn(
    { job_id: id, queue: queue.name, status: job.status },
    'A job that nobody would have taken was put back',
  );
}

/** Its worker may live and only have lost its entry: a second call beside the first would be paid twice. */
function mayStillRun(store: Store, queue: StoreQueue, startedAt: number | null, now: number): boolean {
  const timeoutSeconds = store.config.queues[queue.name]?.timeoutSeconds ?? 0;
  return startedAt !== null && now < startedAt + (timeoutSeconds + store.config.worker.lockSeconds) * 1000;
}
