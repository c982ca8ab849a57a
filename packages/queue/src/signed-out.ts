/** Sessions of the dashboard that were signed out of before their time: a copy of their cookie is worth nothing then. */
import { SIGNED_OUT_KEY } from './keys.ts';
import type { Store } from './store.ts';

/** Far more than people sign out within half a day; beyond, those that would have ended soonest go. */
const KEPT_MOST = 100_000;

/** Notes that a session is over. @param endsAt when it would have ended by itself, ms: as long it has to be known */
export async function noteSignedOut(store: Store, session: string, endsAt: number): Promise<void> {
  const replies = await store.redis
    .multi()
    .zadd(SIGNED_OUT_KEY, endsAt, session)
    .zremrangebyscore(SIGNED_OUT_KEY, '-inf', Date.now())
    .zremrangebyrank(SIGNED_OUT_KEY, 0, -KEPT_MOST - 1)
    .exec();
  for (const [error] of replies ?? []) if (error) throw error;
}

/** Whether a session was signed out of. */
export async function wasSignedOut(store: Store, session: string): Promise<boolean> {
  return (await store.redis.zscore(SIGNED_OUT_KEY, session)) !== null;
}
