/**
 * The checkpoint of a job whose answer is being made in the background upstream. Kept as '<sequence or -> <id>', so that
 * the scripts can tell a good one from a damaged one without parsing JSON.
 */
import type { Reattachable } from '@millrace/core';
import type { WriteReply } from './attempt.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';

/** One round trip, while the answer is being made. Refused when the attempt is not the newest any more. */
export async function writeCheckpoint(
  store: Store,
  queue: StoreQueue,
  id: string,
  epoch: number,
  response: Reattachable,
): Promise<WriteReply> {
  const args = [epoch, checkpointText(response), response.upstreamId];
  return (await runScript(store.redis, 'checkpoint', [queue.keys.job(id)], args)) as WriteReply;
}

/** How a checkpoint is kept. */
export function checkpointText({ upstreamId, startingAfter }: Reattachable): string {
  return `${startingAfter ?? '-'} ${upstreamId}`;
}

/** Null when there is none, or none that can be read. */
export function readCheckpoint(text: string | undefined | null): Reattachable | null {
  const [, sequence, upstreamId] = /^(\d+|-) (\S+)$/.exec(text ?? '') ?? [];
  if (sequence === undefined || upstreamId === undefined) return null;
  return { upstreamId, startingAfter: sequence === '-' ? null : Number(sequence) };
}

/** Forgets the checkpoint of a job that ended otherwise, once its response was cancelled upstream. */
export async function dropCheckpoint(store: Store, queue: StoreQueue, id: string): Promise<void> {
  await store.redis.hdel(queue.keys.job(id), 'checkpoint');
}
