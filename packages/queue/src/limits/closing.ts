/** A limit whose key is refused (no money, no such key) is closed until somebody mends that, or a probe finds it mended. */
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';

/** Why a limit is closed as a whole; a 429 closes a model, and for a time only. */
export type ClosedFor = 'insufficient_quota' | 'unauthorized';

/** How often one call finds out whether it is over: often enough for a key that was just mended, and 1,440 calls a day. */
export const PROBE_EVERY_MS = 60_000;

/** A closed limit that nobody uses is forgotten after a week, like all that is known of it. */
const KEPT_MS = 604_800_000;

/**
 * Closes it for all of its models; a limit that is closed already is probed no later for that.
 * @returns whether it was open before
 * @throws ReplyError from Redis, or a connection error
 */
export async function closeLimit(redis: Redis, limit: string, why: ClosedFor): Promise<boolean> {
  const { closed } = limitKeys(limit, '');
  const now = await redisNow(redis);
  // Each only if it is not there: a limit that is closed already keeps its reason and its next probe.
  const replies = await redis
    .multi()
    .hsetnx(closed, 'since', now)
    .hsetnx(closed, 'until', now + PROBE_EVERY_MS)
    .hsetnx(closed, 'why', why)
    .hsetnx(closed, 'every', PROBE_EVERY_MS)
    .pexpire(closed, KEPT_MS)
    .exec();
  return replies?.[0]?.[1] === 1;
}

/**
 * Opens a limit at once, whatever closed it; its calls start again at the limit's pace.
 * @param groups whose requests and tokens it counts
 * @returns whether it was closed
 * @throws ReplyError from Redis, or a connection error
 */
export async function resumeLimit(redis: Redis, limit: string, groups: readonly string[]): Promise<boolean> {
  const now = await redisNow(redis);
  const buckets = groups.map((group) => limitKeys(limit, group).bucket);
  const paused = await Promise.all(buckets.map((bucket) => redis.hexists(bucket, 'closed')));
  const transaction = redis.multi().del(limitKeys(limit, '').closed);
  for (const [index, bucket] of buckets.entries()) {
    // A pause has set the bucket's clock to its end.
    if (paused[index] === 1) transaction.hdel(bucket, 'closed').hset(bucket, 'at', now);
  }
  const replies = (await transaction.exec()) ?? [];
  return Number(replies[0]?.[1]) > 0 || paused.includes(1);
}

/** Milliseconds of Redis's clock. */
async function redisNow(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
