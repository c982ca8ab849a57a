/**
 * Says once an episode that a limit is nearly used up, and keeps the totals of the last minute. One process of the fleet
 * does it.
 */
import { limitKeys } from '../keys.ts';
import { type Duty, keepDuty } from '../lease.ts';
import type { Store } from '../store.ts';
import { sendEvent } from '../webhooks/outbox.ts';
import { LIMIT_KEPT_MS } from './pace-of-limits.ts';
import type { KindStatus } from './read-bucket.ts';
import { type GroupStatus, groupsOf, type LimitStatus, readLimits } from './read-limits.ts';
import { keepSample, SAMPLE_EVERY_MS } from './use-samples.ts';

/** Of the fullest level that was seen: what is under it is low … */
const LOW_SHARE = 0.02;
/** … until it is above this, so that a level about the border is one episode. */
const RECOVERED_SHARE = 0.1;
/** Of more, those that were not used for a week are forgotten. */
const GROUPS_KEPT = 500;

/** Starts the duty in this process. */
export function keepLimitWatch(store: Store, holder: string): Duty {
  return keepDuty(
    store.redis,
    'limits',
    holder,
    SAMPLE_EVERY_MS,
    () => watchLimits(store),
    (error) => store.log.warn({ err: error }, 'The limits could not be watched; trying again'),
  );
}

/**
 * One round. Two processes may be in it at once: each episode is still said once.
 * @throws ReplyError from Redis, or a connection error
 */
export async function watchLimits(store: Store): Promise<void> {
  const { now, limits } = await readLimits(store);
  for (const limit of limits) {
    await keepSample(store.redis, limit, now);
    for (const group of limit.groups) {
      for (const kind of ['requests', 'tokens'] as const) await watchKind(store, limit, group, kind, now);
    }
    await forgetGroups(store, limit);
  }
}

async function watchKind(
  store: Store,
  { name }: LimitStatus,
  { group, ...kinds }: GroupStatus,
  kind: 'requests' | 'tokens',
  now: number,
): Promise<void> {
  const { redis, log } = store;
  const { low } = limitKeys(name, '');
  const field = `${kind} ${group}`;
  const { lowSince, remaining } = kinds[kind];
  const level = levelOf(kinds[kind]);
  const about = { limit: name, model: group, reason: kind, ...(remaining === null ? {} : { count: remaining }) };
  if (lowSince === null && level === 'low') {
    if ((await redis.hsetnx(low, field, now)) === 0) return;
    await redis.pexpire(low, LIMIT_KEPT_MS);
    log.warn(about, `The upstream has less than ${LOW_SHARE * 100} % of its ${kind} left for us`);
    await sendEvent(store, 'limit.low', { id: name, model: group, kind, remaining });
  } else if (lowSince !== null && level === 'recovered') {
    if ((await redis.hdel(low, field)) === 1) log.info(about, `The upstream has ${kind} left for us again`);
  }
}

/** Where the upstream has said nothing for minutes, its limit of a minute has filled again. */
function levelOf({ remaining, fullest }: KindStatus): 'low' | 'between' | 'recovered' {
  if (remaining === null || fullest === null || remaining > fullest * RECOVERED_SHARE) return 'recovered';
  return remaining < fullest * LOW_SHARE ? 'low' : 'between';
}

async function forgetGroups({ redis }: Store, limit: LimitStatus): Promise<void> {
  const { groups: key } = limitKeys(limit.name, '');
  if ((await redis.scard(key)) <= GROUPS_KEPT) return;
  for (const group of await groupsOf(redis, limit.name)) {
    if ((await redis.exists(limitKeys(limit.name, group).bucket)) === 0) await redis.srem(key, group);
  }
}
