/**
 * Feeds the index: what has changed since it last looked, queue by queue, and, where it cannot know what it missed, all
 * jobs page by page, newest first, beside the changes. One thing after the other, so that what a page was read from is
 * never older than the changes that are written after it. It rests as long as it works: Redis is there for the jobs.
 */
import {
  type Change,
  changesCursor,
  countJobs,
  readChanges,
  readIdentity,
  readWithin,
  type Store,
  type StoreQueue,
  walkJobs,
} from '@millrace/queue';
import type { DeskClient } from './desk-client.ts';
import { BATCH_BYTES, BATCH_JOBS, type Bounds, ENTRIES, IDLE_MS, READ_BYTES } from './index-bounds.ts';
import type { QueueProgress } from './index-desk.ts';
import { rowOfJob } from './row-of-job.ts';
import type { Totals } from './write-index.ts';

export interface FeedState {
  totals: Totals;
  until: number | null;
  making: number | null;
}

export interface Feed {
  /** One round. @returns how long to rest before the next one, ms */
  round(): Promise<number>;
  state(): FeedState | null;
}

/** The cursor of a queue of which nothing is known any more. */
const FORGOTTEN = '';
const LONGEST_REST_MS = 1000;
/** How often it is noted, for the next start, how far the index is. */
const REST_EVERY_MS = 10_000;

/** @param desk is open */
export function openFeed(store: Store, desk: DeskClient, bounds: Bounds): Feed {
  let state: FeedState | null = null;
  let rested = 0;

  /** What is known of each queue, of this data and no other. */
  const knownQueues = async (): Promise<Map<string, QueueProgress>> => {
    const identity = await store.liveness.guard(() => readIdentity(store));
    let progress = await desk.progress();
    if (progress.identity !== identity) {
      await desk.begin(identity, progress.identity === null ? null : 'it was of other data');
      state = null;
      progress = await desk.progress();
    }
    state = {
      totals: progress.totals,
      until: Math.max(progress.until ?? 0, state?.until ?? 0) || null,
      making: state?.making ?? null,
    };
    for (const gone of progress.queues) {
      if (!store.queues.has(gone.queue) && gone.cursor !== FORGOTTEN) await forgetQueue(gone);
    }
    return new Map(progress.queues.map((one) => [one.queue, one]));
  };

  /** A queue that is not configured any more: its jobs cannot be looked at. */
  const forgetQueue = async (gone: QueueProgress): Promise<void> => {
    await desk.setQueue({ ...gone, walk: gone.walk + 1, walking: false });
    await sweep(gone.queue);
    await desk.setQueue({ ...gone, walk: gone.walk + 1, walking: false, cursor: FORGOTTEN });
  };

  const sweep = async (queue: string): Promise<void> => {
    for (let from: number | null = -1; from !== null; ) from = await desk.sweep(queue, from);
  };

  const beginWalk = async (queue: StoreQueue, known: QueueProgress | undefined): Promise<QueueProgress> => {
    const { guard } = store.liveness;
    // First where the changes are: what comes while the jobs are walked through is among them.
    const cursor = await guard(() => changesCursor(store, queue));
    const total = await guard(() => countJobs(store, queue));
    const walk = (known?.walk ?? 0) + 1;
    const begun = { queue: queue.name, cursor, walk, walking: true, before: null, walked: 0, total };
    await desk.setQueue(begun);
    return begun;
  };

  /** Reads jobs and writes them, some at a time. */
  const take = async (queue: StoreQueue, ids: readonly string[], removed: readonly string[]): Promise<void> => {
    const limits = { bodyBytes: READ_BYTES, answerBytes: READ_BYTES, batchBytes: BATCH_BYTES };
    let gone = removed;
    for (let at = 0; at < ids.length || gone.length > 0; at += BATCH_JOBS) {
      const some = ids.slice(at, at + BATCH_JOBS);
      const missing = new Set(some);
      const batches = readWithin(store, some, limits);
      for (;;) {
        const { value: jobs, done } = await store.liveness.guard(() => batches.next());
        if (done) break;
        for (const { job } of jobs) missing.delete(job.id);
        const rows = jobs.map(({ job, answer }) => rowOfJob(job, answer, bounds.textCharacters));
        noteTotals(await desk.write({ queue: queue.name, rows, removed: gone }));
        gone = [];
      }
      // Whatever is not there any more was told of as removed, or will be.
      gone = [...gone, ...missing];
      if (gone.length > 0) noteTotals(await desk.write({ queue: queue.name, rows: [], removed: gone }));
      gone = [];
    }
  };

  const noteTotals = (totals: Totals): void => {
    if (state !== null) state.totals = totals;
  };

  /** @returns whether there may be more */
  const follow = async (queue: StoreQueue, known: QueueProgress | undefined): Promise<[QueueProgress, boolean]> => {
    const read =
      known === undefined || known.cursor === FORGOTTEN
        ? null
        : await store.liveness.guard(async () => ({
            ...(await readChanges(store, queue, known.cursor, ENTRIES)),
            newest: await changesCursor(store, queue),
          }));
    // A cursor that is beyond the newest entry is one of a Redis that has lost its last words.
    if (known === undefined || read === null || read.gap || isBefore(read.newest, known.cursor)) {
      return [await beginWalk(queue, known), true];
    }
    if (read.cursor === known.cursor) return [known, false];
    const { ids, removed } = lastOfEach(read.changes);
    await take(queue, ids, removed);
    const next = { ...known, cursor: read.cursor };
    await desk.setQueue(next);
    return [next, read.cursor !== read.newest];
  };

  const walkOn = async (queue: StoreQueue, known: QueueProgress): Promise<QueueProgress> => {
    const page = await store.liveness.guard(() => walkJobs(store, queue, known.before, BATCH_JOBS));
    await take(queue, page.ids, []);
    const floor = Math.max(state?.totals.floor ?? 0, Date.now() - bounds.ageMs);
    const done = page.next === null || page.next < floor * 1000;
    if (done) await sweep(queue.name);
    const walked = known.walked + page.ids.length;
    const next = { ...known, before: page.next, walking: !done, walked };
    await desk.setQueue(next);
    return next;
  };

  return {
    round: async () => {
      const began = performance.now();
      const at = Date.now();
      const known = await knownQueues();
      let more = false;
      const now: QueueProgress[] = [];
      for (const queue of store.queues.values()) {
        let [progress, unread] = await follow(queue, known.get(queue.name));
        if (progress.walking) progress = await walkOn(queue, progress);
        more ||= unread || progress.walking;
        now.push(progress);
      }
      const walks = now.filter(({ walking }) => walking);
      if (state !== null) state.making = walks.length === 0 ? null : shareOf(walks);
      if (!more) {
        if (at - rested >= REST_EVERY_MS) {
          noteTotals(await desk.rest(at));
          rested = at;
        }
        if (state !== null) state.until = at;
        return IDLE_MS;
      }
      return Math.min(LONGEST_REST_MS, performance.now() - began);
    },
    state: () => state,
  };
}

/** Of each job the last thing that is told of it counts. */
function lastOfEach(changes: readonly Change[]): { ids: string[]; removed: string[] } {
  const last = new Map<string, boolean>();
  for (const { id, kind } of changes) last.set(id, kind === 'removed');
  const all = [...last];
  return {
    ids: all.filter(([, removed]) => !removed).map(([id]) => id),
    removed: all.filter(([, removed]) => removed).map(([id]) => id),
  };
}

function shareOf(walks: readonly QueueProgress[]): number {
  const total = walks.reduce((sum, walk) => sum + walk.total, 0);
  const walked = walks.reduce((sum, walk) => sum + Math.min(walk.walked, walk.total), 0);
  return total === 0 ? 0 : walked / total;
}

/** Whether an entry's id is before another's. */
function isBefore(one: string, other: string): boolean {
  const [oneMs = 0, oneSequence = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return oneMs < otherMs || (oneMs === otherMs && oneSequence < otherSequence);
}
