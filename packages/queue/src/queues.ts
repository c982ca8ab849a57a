/** Queues as a whole: how much waits, runs and has ended; pausing; and the totals behind /metrics. */
import { NotFoundError, type TerminalStatus } from '@millrace/core';
import type { Store, StoreQueue } from './store.ts';

export interface QueueCounts {
  name: string;
  paused: boolean;
  /** Ready to be taken. */
  waiting: number;
  /** Not due yet: submitted with a delay, or in backoff. */
  delayed: number;
  active: number;
  completed: number;
  failed: number;
  cancelled: number;
  incomplete: number;
}

const ENDED: readonly TerminalStatus[] = ['completed', 'failed', 'cancelled', 'incomplete'];

/** Counts of every queue, in the configuration's order. One round trip. Ended jobs count while they are kept. */
export async function countQueues(store: Store): Promise<QueueCounts[]> {
  const queues = [...store.queues.values()];
  const pipeline = store.redis.pipeline();
  for (const queue of queues) {
    pipeline.zcard(queue.keys.status('queued'));
    pipeline.zcard(queue.keys.status('in_progress'));
    pipeline.zcard(queue.bull.toKey('delayed'));
    pipeline.hexists(queue.bull.toKey('meta'), 'paused');
    for (const status of ENDED) pipeline.zcard(queue.keys.status(status));
  }
  const replies = ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return Number(value);
  });
  const perQueue = 4 + ENDED.length;
  return queues.map((queue, index) => {
    const [queued = 0, active = 0, delayed = 0, paused = 0, completed = 0, failed = 0, cancelled = 0, incomplete = 0] =
      replies.slice(index * perQueue, (index + 1) * perQueue);
    const waiting = Math.max(0, queued - delayed);
    return {
      name: queue.name,
      paused: paused === 1,
      waiting,
      delayed,
      active,
      completed,
      failed,
      cancelled,
      incomplete,
    };
  });
}

/** Whether there is anything that a worker would be given now. */
export async function jobsWait({ bull }: StoreQueue): Promise<boolean> {
  if (await bull.isPaused()) return false;
  const { wait = 0, prioritized = 0 } = await bull.getJobCounts('wait', 'prioritized');
  return wait + prioritized > 0;
}

/** @throws NotFoundError naming the queues there are. */
export function queueNamed(store: Store, name: string): StoreQueue {
  const queue = store.queues.get(name);
  if (queue !== undefined) return queue;
  throw new NotFoundError(
    `There is no queue '${name.slice(0, 80)}'. The queues are: ${[...store.queues.keys()].join(', ')}.`,
    'queue',
    'queue_not_found',
  );
}

/** Stops or resumes the taking of jobs, for every worker; running jobs run on. */
export async function setPaused(store: Store, name: string, paused: boolean): Promise<void> {
  const { bull } = queueNamed(store, name);
  await (paused ? bull.pause() : bull.resume());
}

/** The totals a queue's scripts have kept since its beginning, as field → number. */
export async function readCounters(store: Store): Promise<Map<string, ReadonlyMap<string, number>>> {
  const queues = [...store.queues.values()];
  const pipeline = store.redis.pipeline();
  for (const queue of queues) pipeline.hgetall(queue.keys.counters);
  const replies = (await pipeline.exec()) ?? [];
  return new Map(
    queues.map((queue, index) => {
      const [error, fields] = replies[index] ?? [null, {}];
      if (error) throw error;
      return [queue.name, new Map(Object.entries(fields as Record<string, string>).map(([k, v]) => [k, Number(v)]))];
    }),
  );
}
