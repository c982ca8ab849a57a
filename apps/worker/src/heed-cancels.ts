/**
 * A running attempt hears that its job was cancelled, or is answered already: at once, through the channel; and where
 * that message was missed (the connection was away, the sender died before it sent) because the record is looked at.
 */
import type { Log } from '@millrace/core';
import { closeRedis, connectRedis, endedAmong, onCancelled, type Store, type StoreQueue } from '@millrace/queue';
import { nowAndThen } from './now-and-then.ts';

/** One short command for each call under way; a call that nobody wants any more costs until then. */
const LOOK_EVERY_MS = 5000;

/** What is needed of a runner. */
export interface Cancellable {
  queue: StoreQueue;
  /** The jobs that run here now. */
  ids(): string[];
  cancel(id: string): void;
}

export interface Heeding {
  /** Hangs up. Bounded; never throws. */
  stop(): Promise<void>;
}

/** @param lookEveryMs the default is for all but tests */
export function heedCancels(
  redisUrl: string,
  store: Store,
  runners: readonly Cancellable[],
  log: Log,
  lookEveryMs = LOOK_EVERY_MS,
): Heeding {
  const tell = nowAndThen((error) => log.warn({ err: error }, 'Cancellations cannot be heard; trying again'));
  // What goes wrong with the connection is told by the store, whose connection has the same trouble.
  const subscriber = connectRedis(redisUrl, 'patient', () => undefined);
  onCancelled(subscriber, (id) => {
    for (const runner of runners) runner.cancel(id);
  }).catch(tell);

  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || store.redis.status !== 'ready') return;
    looking = true;
    try {
      for (const runner of runners) {
        for (const id of await endedAmong(store, runner.queue, runner.ids())) runner.cancel(id);
      }
    } catch (error) {
      tell(error as Error);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await closeRedis(subscriber);
    },
  };
}
