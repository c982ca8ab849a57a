/** What a queue as a whole waits for: the reason that binds, in the words that its jobs are told in. */
import type { Config } from '@millrace/core';
import type { QueueCounts } from '../queues.ts';
import type { Store } from '../store.ts';
import { heldUp, roomOf, type Standing, type WaitingFor } from './held-up.ts';

/** BullMQ keeps the time of a delayed job and a counter in one score: the time is what is above 12 bits. */
const DELAY_SCALE = 4096;

/** Of each queue whose jobs are all delayed: when the first of them is due, ms by Redis's clock. One round trip. */
export async function readFirstDue(
  { redis, queues }: Pick<Store, 'redis' | 'queues'>,
  counts: readonly QueueCounts[],
): Promise<ReadonlyMap<string, number>> {
  const due = new Map<string, number>();
  await Promise.all(
    counts.map(async ({ name, waiting, delayed }) => {
      const queue = queues.get(name);
      if (queue === undefined || waiting > 0 || delayed === 0) return;
      const [, score] = await redis.zrange(queue.bull.toKey('delayed'), '0', '0', 'WITHSCORES');
      if (score !== undefined) due.set(name, Math.floor(Number(score) / DELAY_SCALE));
    }),
  );
  return due;
}

/** Null: nothing of the queue waits. */
export function queueWaiting(
  config: Pick<Config, 'queues'>,
  counts: QueueCounts,
  standing: Standing,
  firstDue: ReadonlyMap<string, number>,
): WaitingFor | null {
  const { name, waiting, delayed } = counts;
  if (waiting + delayed === 0) return null;
  const held = heldUp(config, name, null, standing);
  if (held !== null && (waiting > 0 || held.reason === 'queue_paused' || held.reason === 'no_worker')) return held;
  if (waiting === 0) {
    return { reason: 'delay', until: firstDue.get(name) ?? null, message: 'the delay, or the backoff, of its jobs' };
  }
  const room = roomOf(config, name, standing.workers);
  const message =
    counts.active >= room
      ? `the workers’ concurrency: they run ${room} jobs of '${name}' at once`
      : 'the workers to take its jobs';
  return { reason: 'line', until: null, message };
}
