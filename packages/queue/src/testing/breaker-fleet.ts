/** For tests of the breaker: several processes' breakers on one Redis, each with its own connections, and their time. */
import type { Redis } from 'ioredis';
import { eventually } from '../../../../test/harness/eventually.ts';
import { type Breaker, type Entry, openBreaker, type Pass } from '../breaker/open-breaker.ts';
import type { BreakerState } from '../breaker/step.ts';
import { closeRedis, connectRedis } from '../connect.ts';
import { breakerKeys } from '../keys.ts';

export const UPSTREAM = 'openai';
const NEVER = new AbortController().signal;

export interface Member {
  breaker: Breaker;
  redis: Redis;
  /** Every state it has seen. */
  states: BreakerState[];
  errors: Error[];
  /** Resolves once it is connected. */
  ready(): Promise<void>;
  /** Resolves once it has heard from Redis how the breaker stands. */
  known(): Promise<void>;
  enter(): Promise<Entry>;
  /** A call that takes a round trip to Redis; false when it did not start. */
  call(ok: boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** One process's breaker. */
export function joinFleet(url: string, kind: 'patient' | 'hasty' = 'patient'): Member {
  // That Redis goes away is what some of these tests are about.
  const redis = connectRedis(url, kind, () => undefined);
  const states: BreakerState[] = [];
  const errors: Error[] = [];
  const breaker = openBreaker(
    redis,
    UPSTREAM,
    (error) => errors.push(error),
    (state) => states.push(state),
  );
  const enter = (): Promise<Entry> => breaker.enter(NEVER);
  return {
    ...{ breaker, redis, states, errors, enter },
    ready: () => eventually('it is connected', () => redis.status === 'ready').then(() => undefined),
    known: async () => {
      await eventually('it knows', async () => passed(await enter()).opening >= 0);
    },
    call: async (ok) => {
      const entry = await enter();
      if (entry.kind !== 'pass') return false;
      await redis.ping();
      breaker.record(ok, entry);
      return true;
    },
    close: async () => {
      breaker.close();
      await closeRedis(redis);
    },
  };
}

/** One call after the other, and all fail; until none may start. How many have failed. */
export async function failUntilOpen(member: Member): Promise<number> {
  for (let failures = 0; ; failures++) {
    if (!(await member.call(false))) return failures;
    if (failures > 1000) throw new Error('1000 calls have failed, and it is still closed');
  }
}

/** Lets the breaker's time pass: what it has stored is so much earlier. */
export async function letPass(redis: Redis, ms: number): Promise<void> {
  const { breaker } = breakerKeys(UPSTREAM);
  const sample = (await redis.hget(breaker, 'sample')) ?? '';
  await redis
    .multi()
    .hincrby(breaker, 'next_probe', -ms)
    .hincrby(breaker, 'started', -ms)
    .hset(
      breaker,
      'sample',
      sample.replace(/\d+/g, (at) => String(Number(at) - ms)),
    )
    .exec();
}

/** @throws when the call may not start */
export function passed(entry: Entry): Pass {
  if (entry.kind !== 'pass') throw new Error(`no call may start: ${JSON.stringify(entry)}`);
  return entry;
}
