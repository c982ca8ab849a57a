/** One holder for each periodic duty: whoever has the lease does the work until it gives it back or dies. */
import type { Redis } from 'ioredis';
import { leaseKey } from './keys.ts';
import { runScript } from './scripts.ts';

export interface Duty {
  /** Ends the duty and gives the lease back. Bounded, also while Redis is away; never throws. */
  stop(): Promise<void>;
}

/** How long a round that is under way, and the giving back, may keep a process from ending. */
const STOP_BOUND_MS = 1000;

/**
 * Runs `work` every `everyMs` in whichever process holds the lease; the others stand by. The lease outlives one round,
 * so the holder keeps it; a dead holder is replaced after two rounds. A round may outlast the lease: the work must
 * bear being done by two at once.
 * @param holder must be one process's only
 */
export function keepDuty(
  redis: Redis,
  name: string,
  holder: string,
  everyMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Duty {
  let running: Promise<void> | null = null;
  const round = async (): Promise<void> => {
    if (redis.status !== 'ready') return;
    const held = await runScript(redis, 'lease', [leaseKey(name)], [holder, everyMs * 2]);
    if (held === 1) await work();
  };
  const timer = setInterval(() => {
    running ??= round()
      .catch(onError)
      .finally(() => {
        running = null;
      });
  }, everyMs);
  timer.unref();
  const giveBack = async (): Promise<void> => {
    await running;
    if (redis.status === 'ready') await runScript(redis, 'lease', [leaseKey(name)], [holder, 0]);
  };
  return {
    stop: async () => {
      clearInterval(timer);
      let bound: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        bound = setTimeout(resolve, STOP_BOUND_MS);
      });
      await Promise.race([giveBack().catch(onError), late]);
      clearTimeout(bound);
    },
  };
}
