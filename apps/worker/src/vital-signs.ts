/** What the heartbeat of this process brings to light: orphans to free, and whether the clock is right. */
import type { Log } from '@millrace/core';
import { freeOrphans, type Heartbeat, type Store, startHeartbeat } from '@millrace/queue';
import { nowAndThen } from './now-and-then.ts';
import type { ClockWatch } from './watch-clock.ts';
import { within } from './within.ts';

/** A thread and a connection: well under a second, unless Redis is away. */
const FIRST_BEAT_MS = 2000;

/** Starts the heartbeat; resolves when it was heard, or could not be for now. */
export async function keepVitalSigns(
  store: Store,
  redisUrl: string,
  worker: string,
  clock: ClockWatch,
  log: Log,
): Promise<Heartbeat> {
  const tell = nowAndThen((error) => log.warn({ err: error }, 'Orphans could not be freed; trying again'));
  /** Told of with every beat until they are buried; there are never more than there were processes. */
  const freeing = new Set<string>();
  const free = async (queueName: string, dead: string): Promise<void> => {
    const queue = store.queues.get(queueName);
    const key = `${queueName} ${dead}`;
    if (queue === undefined || freeing.has(key) || store.redis.status !== 'ready') return;
    freeing.add(key);
    try {
      const count = await freeOrphans(store, queue, dead);
      log.warn({ queue: queueName, worker: dead, count }, 'A worker fell silent; its jobs were freed');
    } catch (error) {
      tell(error as Error);
    } finally {
      freeing.delete(key);
    }
  };
  const heartbeat = startHeartbeat({ redisUrl, worker, queues: [...store.queues.keys()] }, log, (beat) => {
    clock.measured(beat.skewMs, beat.roundTripMs);
    for (const dead of beat.dead) void free(dead.queue, dead.worker);
  });
  await within(FIRST_BEAT_MS, heartbeat.first);
  return heartbeat;
}
