/**
 * A job's events from any sequence number on: what is stored at once, then what comes, until the job ends. No event is
 * given twice and none left out; where that cannot be kept, because another answer has replaced the one that was read,
 * the follower is told so instead.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isTerminal, ShedError } from '@millrace/core';
import { type JobWithAnswer, readJob } from '../read.ts';
import type { Store, StoreQueue } from '../store.ts';
import type { EventsEntry } from './append-events.ts';
import { type EventsRead, readEvents } from './read-events.ts';

export type Followed =
  /** Events as they go over the wire; consecutive. */
  | { kind: 'events'; frames: string }
  /** Nothing has come for a while. */
  | { kind: 'quiet' }
  /** All stored events were given: what is left is the terminal one, `sequence` its number. */
  | { kind: 'end'; sequence: number; found: JobWithAnswer }
  /** The job has ended, and nothing that fits its answer is stored: its events are to be made of the answer. */
  | { kind: 'unstreamed'; found: JobWithAnswer }
  /** What was read before is not part of the answer any more: it may be read again from the beginning. */
  | { kind: 'replaced'; sequence: number; found?: JobWithAnswer }
  /** Events that should come next are not kept any more. */
  | { kind: 'trimmed'; sequence: number }
  /** The job is not there any more. */
  | { kind: 'gone'; sequence: number };

/** Where so long nothing comes, the follower hears that too: a connection that carries nothing is cut on the way. */
const QUIET_MS = 15_000;
/** So long a follower that has begun waits for a Redis that is away, as it is when another takes over. */
const REDIS_AWAY_MS = 30_000;
const LOOK_AGAIN_MS = 250;

/**
 * @param after sequence number of the last event that the follower has; -1: none
 * @param signal ends it
 * @throws ShedError 503 when Redis is away: at once in the beginning, and later after half a minute
 */
export async function* followJob(
  store: Store,
  queue: StoreQueue,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  const { guard } = store.liveness;
  const bell = openBell(signal);
  const deafen = await guard(() => store.told.listen(id, bell.ring));
  try {
    let last = after;
    let cursor: string | null = null;
    let of: string | null = null;
    while (!signal.aborted) {
      bell.reset();
      const read: EventsRead = await patiently(signal, () => guard(() => readEvents(store, queue, id, cursor)));
      const { status } = read;
      if (status === null) return yield { kind: 'gone', sequence: last + 1 };
      if (of !== null && read.of !== of) return yield { kind: 'replaced', sequence: last + 1 };
      if (cursor !== null || read.entries.length > 0) of = read.of;
      for (const entry of read.entries) {
        cursor = entry.cursor;
        const rest = restAfter(entry, last);
        if (rest === null) continue;
        if (rest.first > last + 1) {
          // Who begins with an answer that is over is better served with one that is made of it.
          const found =
            last < 0 && isTerminal(status) ? await patiently(signal, () => guard(() => readJob(store, id))) : null;
          return yield found !== null ? { kind: 'unstreamed', found } : { kind: 'trimmed', sequence: last + 1 };
        }
        yield { kind: 'events', frames: rest.frames };
        last = rest.first + rest.count - 1;
      }
      if (read.more) continue;
      if (isTerminal(status)) return yield* ending(store, id, read, last, after, signal);
      if (!(await bell.rung(QUIET_MS))) yield { kind: 'quiet' };
    }
  } finally {
    deafen();
    bell.close();
  }
}

/** What is left to say when the job has ended and all that is stored was given. */
async function* ending(
  store: Store,
  id: string,
  read: EventsRead,
  last: number,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Followed, void> {
  // Who has it all, or claims to have more, is told nothing more.
  if (read.end !== null && after >= read.end) return;
  const found = await patiently(signal, () => store.liveness.guard(() => readJob(store, id)));
  const sequence = last + 1;
  if (found === null) return yield { kind: 'gone', sequence };
  if (sequence === read.end) return yield { kind: 'end', sequence, found };
  if (last < 0) return yield { kind: 'unstreamed', found };
  if (read.end !== null) return yield { kind: 'trimmed', sequence };
  const streamed = read.of !== null || read.lost;
  // Made of its answer, or of its failure, the events are the same each time: who has some gets the others.
  if (!streamed) return yield { kind: 'unstreamed', found };
  const { status } = found.job;
  yield { kind: status === 'failed' || status === 'cancelled' ? 'end' : 'replaced', sequence, found };
}

/** Once it listens, a follower does not leave because Redis is away for a moment. */
async function patiently<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  const bound = performance.now() + REDIS_AWAY_MS;
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ShedError) || signal.aborted || performance.now() > bound) throw error;
      await pause(LOOK_AGAIN_MS);
    }
  }
}

/** The part of an entry that comes after this event; null where there is none. */
function restAfter(entry: EventsEntry, last: number): EventsEntry | null {
  const known = last + 1 - entry.first;
  if (known <= 0) return entry;
  if (known >= entry.count) return null;
  let at = 0;
  for (let skipped = 0; skipped < known; skipped++) at = entry.frames.indexOf('\n\n', at) + 2;
  return { first: last + 1, count: entry.count - known, frames: entry.frames.slice(at) };
}

/** Remembers that it was rung while nobody waited. */
function openBell(signal: AbortSignal): {
  ring(): void;
  reset(): void;
  /** True when it was rung, or all is over; false after so long without. */
  rung(ms: number): Promise<boolean>;
  close(): void;
} {
  let rings = false;
  let wake: (rung: boolean) => void = () => undefined;
  const ring = (): void => {
    rings = true;
    wake(true);
  };
  signal.addEventListener('abort', ring);
  return {
    ring,
    reset: () => {
      rings = signal.aborted;
    },
    rung: (ms) =>
      new Promise((resolve) => {
        if (rings) return resolve(true);
        const timer = setTimeout(() => wake(false), ms);
        wake = (rung) => {
          clearTimeout(timer);
          wake = () => undefined;
          resolve(rung);
        };
      }),
    close: () => signal.removeEventListener('abort', ring),
  };
}
