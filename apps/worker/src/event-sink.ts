/**
 * The events of one attempt on their way into the store: the first ones at once, because somebody waits for them, the
 * others gathered, so that an answer costs tens of entries. What cannot be stored costs the answer nothing.
 */
import type { Log, Reattachable } from '@millrace/core';
import {
  appendEvents,
  type Begun,
  ENTRY_BYTES,
  EVENTS_BYTES,
  type EventsEntry,
  type Store,
  type StoreQueue,
  type StreamedEnd,
} from '@millrace/queue';
import type { EventListener } from '@millrace/upstream';
import { frameEvents, type PreviousIds } from './event-frames.ts';

export interface EventSink {
  take: EventListener;
  /**
   * The call has been read whole, and something else is to follow. What is gathered is stored, and nothing that comes
   * later notes that call as one to carry on with.
   */
  rest(): Promise<void>;
  /** The job takes another call. @param items all that the client is told of its response so far */
  goOn(items: readonly unknown[]): void;
  /** From now on each append notes where a crash would have to carry on. */
  attach(upstreamId: string): void;
  /**
   * No more events come. What is gathered is stored, but for that of an answer that has come to its end: that is
   * returned, to be stored with the end.
   */
  close(): Promise<StreamedEnd | null>;
  /** What was given of a response that is to be carried on with, where the next attempt must begin. */
  resumeAt(response: Reattachable): Reattachable;
}

/** Tens of entries for an answer of some seconds, and no reader notices. */
const GATHER_MS = 100;
/** While nobody reads along: who begins to waits so long once, and a crash has so much to read again. */
const UNHEARD_MS = 1000;

export interface EventSinkTerms {
  store: Store;
  queue: StoreQueue;
  id: string;
  begun: Begun;
  previous: PreviousIds | null;
  /** Items of calls that earlier attempts made. */
  said: readonly unknown[];
  log: Log;
}

export function openEventSink({ store, queue, id, begun, previous, said, log }: EventSinkTerms): EventSink {
  const after = begun.checkpoint?.startingAfter ?? null;
  const background = (begun.body as { background?: unknown }).background === true;
  const runs = (name: string): boolean => Object.hasOwn(store.config.tools, name);
  const frames = frameEvents({ id, background, after, previous, said, runs });
  let upstreamId = begun.checkpoint?.upstreamId ?? null;
  let gathered: EventsEntry[] = [];
  let gatheredBytes = 0;
  /** Of the last event that is stored. */
  let stored = after;
  /** The call has come to its end. */
  let ended = false;
  /** Nothing more is stored: the attempt is not the newest, or its events cannot be stored. */
  let lost = false;
  /** What somebody waits for most is the first piece of the answer itself. */
  let deltaGathered = false;
  let deltaStored = false;
  let heard = true;
  let appending: Promise<void> | null = null;
  let appendedAt = 0;
  let timer: NodeJS.Timeout | null = null;
  let soon = false;

  const gather = (sequence: number, text: string): void => {
    const newest = gathered.at(-1);
    if (newest !== undefined && newest.frames.length + text.length <= ENTRY_BYTES) {
      newest.count += 1;
      newest.frames += text;
    } else gathered.push({ first: sequence, count: 1, frames: text });
    gatheredBytes += text.length;
  };

  const takeGathered = (): EventsEntry[] => {
    const entries = gathered;
    gathered = [];
    gatheredBytes = 0;
    return entries;
  };

  /** An upstream that counts otherwise than we do can only be read from its beginning again. */
  const goOnAfter = (last: number | null): number | null => (frames.alike() ? last : null);

  const append = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lost || gathered.length === 0) return;
    const entries = takeGathered();
    const newest = entries.at(-1) as EventsEntry;
    const last = newest.first + newest.count - 1;
    const checkpoint = upstreamId === null ? null : { upstreamId, startingAfter: goOnAfter(last) };
    appendedAt = performance.now();
    deltaStored = deltaGathered;
    try {
      const { epoch } = begun;
      const appended = await appendEvents(store, queue, id, epoch, { entries, fresh: after === null, checkpoint });
      heard = appended.heard;
      if (appended.reply === 'written') stored = last;
      else lost = true;
    } catch (error) {
      lost = true;
      log.warn({ err: error, job_id: id, queue: queue.name }, 'Events of an answer could not be stored');
    }
  };
  const appendNow = (): void => {
    if (appending !== null) return;
    appending = append().then(() => {
      appending = null;
      if (gathered.length > 0) schedule();
    });
  };
  const schedule = (): void => {
    if (lost || ended || appending !== null || timer !== null || soon) return;
    if (heard && !deltaStored) {
      soon = true;
      // With all that came in the same piece.
      queueMicrotask(() => {
        soon = false;
        if (!ended) appendNow();
      });
      return;
    }
    timer = setTimeout(appendNow, Math.max(0, appendedAt + (heard ? GATHER_MS : UNHEARD_MS) - performance.now()));
  };

  return {
    take: (type, data) => {
      if (lost) return;
      for (const { sequence, frame } of frames.before(type)) gather(sequence, frame);
      const framed = frames.frame(type, data);
      if (framed.kind === 'known') return;
      if (framed.kind === 'end') {
        ended = true;
        return;
      }
      gather(framed.sequence, framed.frame);
      deltaGathered ||= type.endsWith('.delta');
      if (gatheredBytes > EVENTS_BYTES) lost = true;
      schedule();
    },
    rest: async () => {
      while (appending !== null) await appending;
      // Ends the timer, too.
      await append();
      upstreamId = null;
    },
    goOn: (items) => {
      if (lost) return;
      ended = false;
      for (const { sequence, frame } of frames.goOn(items)) gather(sequence, frame);
      schedule();
    },
    attach: (response) => {
      upstreamId = response;
    },
    close: async () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      while (appending !== null) await appending;
      if (ended && !lost) {
        const { frames: calls, sequence } = frames.end();
        for (const call of calls) gather(call.sequence, call.frame);
        return { sequence, fresh: after === null, entries: takeGathered() };
      }
      await append();
      return null;
    },
    resumeAt: (response) => ({ ...response, startingAfter: goOnAfter(stored) }),
  };
}
