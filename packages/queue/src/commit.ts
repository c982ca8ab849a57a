/**
 * The fsync before the answer. With `appendfsync always` Redis has fsynced when it replies. Otherwise one WAITAOF
 * covers all that was written before it, by whomever, so many submitters share one (group commit). It blocks the
 * connection it is sent on, up to a second: it has one of its own.
 */
import { ShedError } from '@millrace/core';
import type { Redis } from 'ioredis';
import { closeRedis } from './connect.ts';
import type { Durability } from './guard.ts';
import { MARK_KEY } from './keys.ts';
import { redisAway, translateRedisError } from './redis-refusal.ts';
import { runScript } from './scripts.ts';

const FSYNC_BOUND_MS = 10_000;
const RETRY_AFTER_SECONDS = 1;

export interface Commit {
  /**
   * Resolves once all that Redis has replied to before the call is on its disk, as far as its settings allow.
   * @throws ShedError 503 when the disk does not follow, or it is not known (yet) what this Redis promises.
   */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param durability what the server promises now; null while that is not known
 * @param connect opens the connection to wait on; called once, when it is first needed
 */
export function openCommit(durability: () => Promise<Durability | null>, connect: () => Redis): Commit {
  let redis: Redis | null = null;
  let next: Promise<void> | null = null;
  const waitForDisk = async (): Promise<void> => {
    redis ??= connect();
    if (redis.status !== 'ready') await ready(redis);
    await runScript(redis, 'mark', [MARK_KEY], []);
    const [local] = (await redis.call('WAITAOF', 1, 0, FSYNC_BOUND_MS)) as [number, number];
    if (local < 1) throw late();
  };
  /** Those who come while the event loop turns once share a wait; those who come later share the next one. */
  const shared = (): Promise<void> => {
    next ??= new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        next = null;
        waitForDisk().then(resolve, (error: unknown) => reject(translateRedisError(error)));
      });
    });
    return next;
  };
  return {
    commit: async () => {
      const promised = await durability();
      if (promised === null) throw redisAway();
      if (promised === 'waitaof') await shared();
    },
    close: async () => {
      if (redis !== null) await closeRedis(redis);
    },
  };
}

function late(): ShedError {
  return new ShedError(
    503,
    'Redis did not fsync in time; the job may be lost. Send it again.',
    'redis_fsync_late',
    RETRY_AFTER_SECONDS,
  );
}

/** Resolves when a connection that was just opened is up. @throws ShedError 503 when it is not soon. */
export function ready(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReady = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(redisAway());
    }, FSYNC_BOUND_MS);
    redis.once('ready', onReady);
  });
}
