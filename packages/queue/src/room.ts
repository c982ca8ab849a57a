/** How many more jobs a queue may hold waiting. Far from full nobody need ask before each job. */
import { ShedError } from '@millrace/core';
import type { Store, StoreQueue } from './store.ts';

/** How soon a full queue is worth another try: long enough for workers to make room. */
const FULL_RETRY_SECONDS = 5;
/** With more room than this, a count that is this old will do: what others add meanwhile cannot fill it. */
const FAR_JOBS = 20_000;
const FRESH_MS = 1000;

interface Count {
  waiting: number;
  at: number;
}

const counts = new WeakMap<StoreQueue, Count>();

/** Remembers what a submission learned on its way. */
export function noteWaiting(queue: StoreQueue, waiting: number): void {
  counts.set(queue, { waiting, at: Date.now() });
}

/** How many more jobs may wait, and what the others are told. Submitters that race may each fill the same room. */
export async function roomIn(store: Store, queue: StoreQueue): Promise<{ room: number; refusal: () => ShedError }> {
  const most = store.config.queues[queue.name]?.maxWaiting ?? Number.POSITIVE_INFINITY;
  const known = counts.get(queue);
  const far = known !== undefined && most - known.waiting > FAR_JOBS && Date.now() - known.at < FRESH_MS;
  const waiting = far ? known.waiting : await store.redis.zcard(queue.keys.status('queued'));
  const refusal = (): ShedError =>
    new ShedError(
      429,
      `The queue '${queue.name}' is full: ${waiting} jobs wait, ${most} may (queues.${queue.name}.maxWaiting). Try again later.`,
      'queue_full',
      FULL_RETRY_SECONDS,
    );
  return { room: Math.max(0, most - waiting), refusal };
}
