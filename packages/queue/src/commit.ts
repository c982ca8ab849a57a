/**
 * The fsync before the answer. With `appendfsync always` Redis has fsynced when it replies. Otherwise one WAITAOF
 * covers all that was written on the connection before it, so many submitters share one (group commit).
 */
import { ShedError } from '@millrace/core';
import type { Redis } from 'ioredis';
import type { Durability } from './guard.ts';

const FSYNC_BOUND_MS = 10_000;
const RETRY_AFTER_SECONDS = 1;

/** Returns a function that resolves once all written on `redis` before the call is on its disk. */
export function openCommit(redis: Redis, durability: () => Durability): () => Promise<void> {
  let next: Promise<void> | null = null;
  const waitForDisk = async (): Promise<void> => {
    const [local] = (await redis.call('WAITAOF', 1, 0, FSYNC_BOUND_MS)) as [number, number];
    if (local < 1) {
      throw new ShedError(
        503,
        'Redis did not fsync in time; the job may be lost. Send it again.',
        'redis_fsync_late',
        RETRY_AFTER_SECONDS,
      );
    }
  };
  return () => {
    if (durability() !== 'waitaof') return Promise.resolve();
    next ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        next = null;
        waitForDisk().then(resolve, reject);
      });
    });
    return next;
  };
}
