/** Stores the events of a running attempt, some in an entry, fenced by its epoch. */
import type { Reattachable } from '@millrace/core';
import type { WriteReply } from '../attempt.ts';
import { checkpointText } from '../checkpoint.ts';
import { runScript } from '../scripts.ts';
import type { Store, StoreQueue } from '../store.ts';

/** Events that follow each other, as they go over the wire. */
export interface EventsEntry {
  /** Sequence number of the first. */
  first: number;
  count: number;
  /** Each ends in an empty line, and has no other. */
  frames: string;
}

/** What is stored of an answer's events together with its end. */
export interface StreamedEnd {
  /** Of the terminal event, which is not stored: it is made of the answer. */
  sequence: number;
  /** The answer began with this attempt. */
  fresh: boolean;
  /** Those not stored yet. */
  entries: readonly EventsEntry[];
}

export interface Append {
  entries: readonly EventsEntry[];
  /** The answer began with this attempt: what an earlier one stored is replaced. */
  fresh: boolean;
  /** Where a crash would have to carry on after these events; null where nothing can be carried on with. */
  checkpoint: Reattachable | null;
}

/**
 * One round trip. Refused when the attempt is not the newest any more.
 * @returns how it was received, and whether anybody reads along
 */
export async function appendEvents(
  store: Store,
  queue: StoreQueue,
  id: string,
  epoch: number,
  { entries, fresh, checkpoint }: Append,
): Promise<{ reply: WriteReply; heard: boolean }> {
  const { keys } = queue;
  const [reply, listeners] = (await runScript(
    store.redis,
    'append',
    [keys.job(id), keys.events(id)],
    [id, epoch, fresh ? 1 : 0, checkpoint === null ? '' : checkpointText(checkpoint), ...entryArgs(entries)],
  )) as [WriteReply, number];
  return { reply, heard: listeners > 0 };
}

export function entryArgs(entries: readonly EventsEntry[]): (string | number)[] {
  return entries.flatMap(({ first, count, frames }) => [first, count, frames]);
}
