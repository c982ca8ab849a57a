/**
 * Jobs that go on from a response that has not ended yet wait as delayed ones, and are put back in line as soon as it
 * has. Whoever took such a job listens for that; should it die, the delay brings the job back all the same.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { findPrevious, type Store, type StoreQueue } from '@millrace/queue';

export interface FollowUps {
  /**
   * Listens from now on for the end of `previous`.
   * @returns for how many ms the job is to be delayed; it is put back in line before, once the response has ended
   */
  waitFor(id: string, previous: string): Promise<number>;
  /** Nobody is put back in line any more. */
  close(): void;
}

const LISTENED_MS = 10_000;
/** What comes beyond it, or while Redis is away, looks by itself. */
const LISTENED_MOST = 2000;
const LOOK_MS = 500;
/** The end may come while the job is on its way to the delayed ones. */
const PROMOTE_TRIES = 5;
const PROMOTE_AGAIN_MS = 20;

export function openFollowUps(store: Store, queue: StoreQueue): FollowUps {
  /** By the job that waits: what ends the listening. */
  const waiting = new Map<string, () => void>();

  const hasEnded = async (previous: string): Promise<boolean> => {
    const found = await findPrevious(store, previous);
    return found.kind !== 'unfinished';
  };
  const promote = async (id: string): Promise<void> => {
    for (let tries = 0; tries < PROMOTE_TRIES; tries++) {
      const job = await queue.bull.getJob(id);
      if (job === undefined) return;
      try {
        return await job.promote();
      } catch {
        // It is not among the delayed ones yet, or not any more.
        await pause(PROMOTE_AGAIN_MS);
      }
    }
  };

  return {
    waitFor: async (id, previous) => {
      waiting.get(id)?.();
      if (waiting.size >= LISTENED_MOST) return LOOK_MS;
      let looking = false;
      const look = async (): Promise<void> => {
        if (looking || !waiting.has(id)) return;
        looking = true;
        try {
          if (!(await hasEnded(previous))) return;
          waiting.get(id)?.();
          await promote(id);
        } finally {
          looking = false;
        }
      };
      let deafen = (): void => undefined;
      const timer = setTimeout(() => waiting.get(id)?.(), LISTENED_MS);
      waiting.set(id, () => {
        clearTimeout(timer);
        waiting.delete(id);
        deafen();
      });
      try {
        // What goes wrong with a look goes wrong with Redis: the delay brings the job back.
        deafen = await store.told.listen(previous, () => void look().catch(() => undefined));
        if (!waiting.has(id)) deafen();
        // It may have ended before anybody listened.
        if (!(await hasEnded(previous))) return LISTENED_MS;
        waiting.get(id)?.();
        return 0;
      } catch {
        waiting.get(id)?.();
        return LOOK_MS;
      }
    },
    close: () => {
      for (const stop of waiting.values()) stop();
    },
  };
}
