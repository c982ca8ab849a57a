/**
 * Who waits for a job, or reads along, is told that it has come further: one connection of a process hears for all. A
 * message may be missed (the connection was away), so everybody is also told now and then without a reason.
 */
import type { Redis } from 'ioredis';
import { ready } from '../commit.ts';
import { closeRedis } from '../connect.ts';
import { jobOfChannel, toldChannel } from '../keys.ts';

/** One read for each job that is waited for. */
const WITHOUT_A_REASON_MS = 5000;

export interface Told {
  /**
   * From when it resolves on, `listener` is called each time there may be more to read of the job. Must not throw.
   * @returns what ends that
   * @throws a connection error while Redis is away
   */
  listen(id: string, listener: () => void): Promise<() => void>;
  /** Hangs up. Bounded; never throws. */
  close(): Promise<void>;
}

/** @param connect opens the connection; called once, when somebody first listens */
export function openTold(connect: () => Redis): Told {
  let redis: Redis | null = null;
  /** All that wait for the connection wait once together. */
  let connected: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  /** Its bound is what the process waits for at once. */
  const listeners = new Map<string, Set<() => void>>();
  const tell = (id: string): void => {
    for (const listener of listeners.get(id) ?? []) listener();
  };
  const tellAll = (): void => {
    for (const id of listeners.keys()) tell(id);
  };
  const open = async (): Promise<Redis> => {
    if (redis === null) {
      redis = connect();
      redis.on('message', (channel: string) => tell(jobOfChannel(channel)));
      redis.on('ready', tellAll);
      timer = setInterval(tellAll, WITHOUT_A_REASON_MS);
      timer.unref();
    }
    if (redis.status !== 'ready') {
      connected ??= ready(redis).finally(() => {
        connected = null;
      });
      await connected;
    }
    return redis;
  };
  const leave = (id: string, listener: () => void): void => {
    const others = listeners.get(id);
    others?.delete(listener);
    if (others === undefined || others.size > 0) return;
    listeners.delete(id);
    // Who is away is not subscribed any more.
    if (redis?.status === 'ready') redis.unsubscribe(toldChannel(id)).catch(() => undefined);
  };
  return {
    listen: async (id, listener) => {
      const others = listeners.get(id) ?? new Set();
      others.add(listener);
      listeners.set(id, others);
      try {
        // Also where others listen: it resolves when it is in force, and costs nothing then.
        await (await open()).subscribe(toldChannel(id));
      } catch (error) {
        leave(id, listener);
        throw error;
      }
      return () => leave(id, listener);
    },
    close: async () => {
      clearInterval(timer);
      if (redis !== null) await closeRedis(redis);
    },
  };
}
