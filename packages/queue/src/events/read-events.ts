/** Reads a job's stored events, a few entries at a time, together with how the job stands at that very moment. */
import type { JobStatus } from '@millrace/core';
import type { Store, StoreQueue } from '../store.ts';
import type { EventsEntry } from './append-events.ts';
import { ENTRIES_PER_READ } from './bounds.ts';

export interface EventsRead {
  /** null: there is no such job (any more). */
  status: JobStatus | null;
  /** Names the answer the events are of; null where none are stored. Another answer's replace them. */
  of: string | null;
  /** Sequence number of the terminal event, which is not stored; null while, or where, the stream did not come to its end. */
  end: number | null;
  /** What was stored was of another answer than the job has now. */
  lost: boolean;
  /** In order, those after the cursor; as many as are read in one go. */
  entries: (EventsEntry & { cursor: string })[];
  /** There may be more. */
  more: boolean;
}

/** Reads asked for in this very turn of the event loop, by what they read. */
const asked = new WeakMap<Store, Map<string, Promise<EventsRead>>>();

/**
 * Who reads along at the same place, told by the same message, reads once together: what is read is shared, and must not
 * be changed. A read that was sent in an earlier turn is never joined, as it may have missed what this one was told of.
 * @param cursor of the last entry that was read; null: from the beginning
 */
export function readEvents(store: Store, queue: StoreQueue, id: string, cursor: string | null): Promise<EventsRead> {
  const reads = asked.get(store) ?? new Map<string, Promise<EventsRead>>();
  asked.set(store, reads);
  const place = `${id} ${cursor}`;
  const joined = reads.get(place);
  if (joined !== undefined) return joined;
  const read = readNow(store, queue, id, cursor);
  reads.set(place, read);
  // After all that this turn has set going.
  process.nextTick(() => reads.delete(place));
  return read;
}

async function readNow(store: Store, queue: StoreQueue, id: string, cursor: string | null): Promise<EventsRead> {
  const { keys } = queue;
  const replies =
    (await store.redis
      .multi()
      .hmget(keys.job(id), 'status', 'events_of', 'events_end', 'events_lost')
      .xrange(keys.events(id), cursor === null ? '-' : `(${cursor}`, '+', 'COUNT', ENTRIES_PER_READ)
      .exec()) ?? [];
  for (const [error] of replies) if (error) throw error;
  const [record, stored] = replies.map(([, reply]) => reply) as [(string | null)[], [string, string[]][]];
  const [status, of, end, lost] = record;
  return {
    status: (status ?? null) as JobStatus | null,
    of: of ?? null,
    end: end == null ? null : Number(end),
    lost: lost === '1',
    entries: stored.map(([entry, [, count, , frames]]) => ({
      cursor: entry,
      first: Number(entry.slice(entry.indexOf('-') + 1)),
      count: Number(count),
      frames: frames ?? '',
    })),
    more: stored.length === ENTRIES_PER_READ,
  };
}

/**
 * From now on the job's events are wanted: where its call has not begun yet, it will be streamed.
 * @returns whether they are, or will be, told as they come
 */
export async function wantEvents(store: Store, queue: StoreQueue, id: string): Promise<boolean> {
  const { job } = queue.keys;
  const [status, checkpoint, stream] = await store.redis.hmget(job(id), 'status', 'checkpoint', 'stream');
  if (stream === '1') return true;
  // What was read of an answer without storing it is missing for good.
  if (status !== 'queued' || checkpoint !== null) return false;
  await store.redis.hset(job(id), 'stream', '1');
  return true;
}
