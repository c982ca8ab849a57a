/** One holder for each periodic duty: whoever sets the key does the work until the key expires. */
import type { Redis } from 'ioredis';
import { leaseKey } from './keys.ts';

export interface Duty {
  stop(): Promise<void>;
}

/**
 * Runs `work` every `everyMs` in whichever process holds the lease; the others stand by. The lease outlives one round,
 * so the holder keeps it; a dead holder is replaced after two rounds.
 */
export function keepDuty(
  redis: Redis,
  name: string,
  holder: string,
  everyMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Duty {
  let running: Promise<void> = Promise.resolve();
  const round = async (): Promise<void> => {
    if (redis.status !== 'ready') return;
    const taken = await redis.set(leaseKey(name), holder, 'PX', everyMs * 2, 'NX');
    if (taken === null) {
      if ((await redis.get(leaseKey(name))) !== holder) return;
      await redis.pexpire(leaseKey(name), everyMs * 2);
    }
    await work();
  };
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = round()
      .catch(onError)
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
      if (redis.status === 'ready' && (await redis.get(leaseKey(name))) === holder) await redis.del(leaseKey(name));
    },
  };
}
