/** The limit's scripts on a real Redis, whose clock they go by. */
import type { LimitConfig } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { limitKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { type Grant, type ReserveReply, release, reserve, type Settlement } from './reserve.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const NAME = { limit: 'key', group: 'm' };
const limit = (fields: Partial<LimitConfig> = {}): LimitConfig => ({ burstSeconds: 1, models: [], ...fields });
let asked = 0;
const ask = (config: LimitConfig, fields: Partial<Parameters<typeof reserve>[3]> = {}): Promise<ReserveReply> =>
  reserve(store.redis, NAME, config, {
    ...{ id: `r${++asked}`, tokens: 0, asker: 'a', priority: 5, leaseMs: 60_000 },
    ...fields,
  });
const granted = async (config: LimitConfig, fields: Partial<Parameters<typeof reserve>[3]> = {}): Promise<Grant> => {
  const reply = await ask(config, fields);
  if (reply.kind !== 'granted') throw new Error(JSON.stringify(reply));
  return reply.grant;
};
const NOTHING: Settlement = { tokens: null, requestsLeft: null, tokensLeft: null, answered: true, closeForMs: null };
/** Lets the bucket's time pass: its last look is so much earlier. */
const pass = async (ms: number): Promise<void> => {
  const { bucket } = limitKeys(NAME.limit, NAME.group);
  const at = Number(await store.redis.hget(bucket, 'at'));
  await store.redis.hset(bucket, 'at', String(at - ms));
};

describe('the pace', () => {
  it('a new limit starts without a burst: the first call waits for its place, and the next for its own', async () => {
    const config = limit({ requestsPerMinute: 600 });
    const first = await ask(config);
    expect(first).toMatchObject({ kind: 'wait', scarce: 'requests' });
    if (first.kind !== 'wait') return;
    expect(first.inMs).toBeGreaterThan(50);
    expect(first.inMs).toBeLessThanOrEqual(100);
  });

  it('a call that may start soon has its place at once, and the next one its own behind it', async () => {
    const config = limit({ requestsPerMinute: 6000 });
    const starts: number[] = [];
    for (let i = 0; i < 5; i++) starts.push(Number((await granted(config)).start));
    for (let i = 1; i < starts.length; i++) {
      expect((starts[i] as number) - (starts[i - 1] as number)).toBeGreaterThanOrEqual(9.9);
    }
  });

  it('tokens are paced as requests are, and what binds is named', async () => {
    const config = limit({ requestsPerMinute: 600_000, tokensPerMinute: 60_000 });
    const first = await ask(config, { tokens: 100 });
    expect(first).toMatchObject({ kind: 'wait', scarce: 'tokens' });
  });

  it('after a rest, no more than half a burst comes at once', async () => {
    const config = limit({ requestsPerMinute: 6000 });
    await granted(config);
    await pass(60_000);
    let atOnce = 0;
    const began = performance.now();
    for (;;) {
      const reply = await ask(config);
      if (reply.kind !== 'granted' || reply.inMs > 0) break;
      atOnce++;
    }
    expect(atOnce).toBeGreaterThanOrEqual(50);
    // And what the time of asking brings by itself.
    expect(atOnce).toBeLessThanOrEqual(52 + (performance.now() - began) / 10);
  });

  it('a call larger than the burst starts when the bucket is full, and the next waits until its debt is paid', async () => {
    const config = limit({ tokensPerMinute: 60_000 });
    await ask(config, { tokens: 1 });
    await store.redis.del(limitKeys(NAME.limit, NAME.group).asking);
    await granted(limit({ tokensPerMinute: 60_000 }), { tokens: 1 }).catch(() => undefined);
    await store.redis.hset(limitKeys(NAME.limit, NAME.group).bucket, 'at', '1', 'tokens', '500');
    await store.redis.del(limitKeys(NAME.limit, NAME.group).asking);
    await granted(config, { tokens: 5000 });
    const next = await ask(config, { tokens: 100 });
    if (next.kind !== 'wait') throw new Error(next.kind);
    expect(next.inMs).toBeGreaterThan(4500);
    expect(next.inMs).toBeLessThanOrEqual(4610);
  });

  it('a call that needs more than a minute of the limit is told so at once', async () => {
    const config = limit({ tokensPerMinute: 1000 });
    expect(await ask(config, { tokens: 1001 })).toEqual({ kind: 'never', tokensPerMinute: 1000 });
  });
});

describe('calls in flight', () => {
  it('are bounded, and free again when they are released or their lease is over', async () => {
    const config = limit({ inFlight: 2, requestsPerMinute: 6_000_000 });
    const first = await granted(config);
    await granted(config, { leaseMs: 1 });
    await eventually('its lease is over', async () => (await ask(config)).kind === 'granted');
    expect(await ask(config)).toEqual({ kind: 'full', scarce: 'in_flight' });
    await release(store.redis, NAME, config, first, NOTHING);
    await granted(config);
  });

  it('a limit of which nothing is known lets one call find out, and then all', async () => {
    const first = await granted(limit());
    expect(await ask(limit())).toEqual({ kind: 'full', scarce: 'learning' });
    await release(store.redis, NAME, limit(), first, NOTHING);
    await granted(limit());
    await granted(limit());
  });
});

describe('whose turn it is', () => {
  it('the more urgent asks later and goes first; who asked first goes before the later of the same', async () => {
    const config = limit({ requestsPerMinute: 300 });
    const batch = await ask(config, { asker: 'batch', priority: 9 });
    const later = await ask(config, { asker: 'later', priority: 9 });
    const urgent = await ask(config, { asker: 'urgent', priority: 0 });
    const waits = [urgent, batch, later].map((reply) => (reply.kind === 'wait' ? reply.inMs : -1));
    expect(waits[0]).toBeLessThanOrEqual(200);
    expect(waits[1]).toBeGreaterThan(150);
    expect(waits[2]).toBeGreaterThan(waits[1] as number);
    const batchAgain = await ask(config, { asker: 'batch', priority: 9 });
    if (batchAgain.kind !== 'wait') throw new Error(batchAgain.kind);
    expect(batchAgain.inMs).toBeGreaterThan(waits[0] as number);
  });

  it('who does not come when it was told to holds nobody up', async () => {
    const config = limit({ requestsPerMinute: 600 });
    await ask(config, { asker: 'dead', priority: 0 });
    const { asked: askedKey } = limitKeys(NAME.limit, NAME.group);
    await store.redis.hset(askedKey, 'dead', '1 0');
    const reply = await ask(config, { asker: 'alive' });
    expect(reply.kind === 'wait' && reply.inMs <= 100).toBe(true);
  });
});

describe('what answers tell', () => {
  const gauge = (of: number, remaining: number) => ({ limit: of, remaining });

  it('a limit that was left out is learned from the first answer', async () => {
    const first = await granted(limit());
    await release(store.redis, NAME, limit(), first, {
      ...NOTHING,
      requestsLeft: gauge(600, 9),
      tokensLeft: gauge(60_000, 900),
    });
    expect(await ask(limit(), { tokens: 60_001 })).toEqual({ kind: 'never', tokensPerMinute: 60_000 });
    expect((await ask(limit(), { tokens: 10 })).kind).not.toBe('full');
  });

  it('a configured limit is kept where the upstream would allow more, and lowered where it allows less', async () => {
    const config = limit({ tokensPerMinute: 1000, requestsPerMinute: 6000 });
    const first = await granted(config);
    await release(store.redis, NAME, config, first, { ...NOTHING, tokensLeft: gauge(5000, 80) });
    expect(await ask(config, { tokens: 1001 })).toMatchObject({ kind: 'never', tokensPerMinute: 1000 });
    const second = await granted(config);
    await release(store.redis, NAME, config, second, { ...NOTHING, tokensLeft: gauge(500, 8) });
    expect(await ask(config, { tokens: 501 })).toMatchObject({ kind: 'never', tokensPerMinute: 500 });
  });

  it('others on the same key are seen: less is left than was thought, and the next call waits for it', async () => {
    const config = limit({ requestsPerMinute: 6000 });
    await granted(config);
    await pass(60_000);
    const call = await granted(config);
    await release(store.redis, NAME, config, call, { ...NOTHING, requestsLeft: gauge(6000, 0) });
    const left = Number(await store.redis.hget(limitKeys(NAME.limit, NAME.group).bucket, 'requests'));
    expect(left).toBeLessThan(30);
  });

  it('an answer to a call that started before the last correction corrects nothing', async () => {
    const config = limit({ requestsPerMinute: 6000 });
    await granted(config);
    await pass(60_000);
    const [old, older] = [await granted(config), await granted(config)];
    await release(store.redis, NAME, config, old, { ...NOTHING, requestsLeft: gauge(6000, 0) });
    const bucket = limitKeys(NAME.limit, NAME.group).bucket;
    const before = await store.redis.hget(bucket, 'requests');
    await release(store.redis, NAME, config, older, { ...NOTHING, requestsLeft: gauge(6000, 100) });
    expect(await store.redis.hget(bucket, 'requests')).toBe(before);
  });

  it('without headers, what a call did not use is given back, and what it used beyond is taken', async () => {
    const config = limit({ tokensPerMinute: 6_000_000 });
    const bucket = limitKeys(NAME.limit, NAME.group).bucket;
    const tokens = async (): Promise<number> => Number(await store.redis.hget(bucket, 'tokens'));
    const first = await granted(config, { tokens: 1000 });
    const before = await tokens();
    await release(store.redis, NAME, config, first, { ...NOTHING, tokens: 400 });
    expect((await tokens()) - before).toBeCloseTo(600, 3);
    await pass(60_000);
    const second = await granted(config, { tokens: 100 });
    const then = await tokens();
    await release(store.redis, NAME, config, second, { ...NOTHING, tokens: 150 });
    expect((await tokens()) - then).toBeCloseTo(-50, 3);
  });

  it('a 429 closes the limit for as long as it says, for everyone, and it opens empty', async () => {
    const config = limit({ requestsPerMinute: 6_000 });
    await granted(config);
    await pass(60_000);
    const [call, other] = [await granted(config), await granted(config)];
    await release(store.redis, NAME, config, call, { ...NOTHING, closeForMs: 90_000 });
    await release(store.redis, NAME, config, other, { ...NOTHING, closeForMs: 1000 });
    const reply = await ask(config, { asker: 'b' });
    expect(reply).toMatchObject({ kind: 'closed', why: 'rate_limited' });
    expect(reply.kind === 'closed' && reply.inMs > 89_000).toBe(true);
    const bucket = limitKeys(NAME.limit, NAME.group).bucket;
    const [seconds] = await store.redis.time();
    await store.redis.hset(bucket, 'closed', Number(seconds) * 1000 - 10, 'at', Number(seconds) * 1000 - 10);
    let atOnce = 0;
    const began = performance.now();
    for (;;) {
      const again = await ask(config, { asker: 'b' });
      if (again.kind !== 'granted' || again.inMs > 0) break;
      atOnce++;
    }
    // What the time since brings by itself, a second at most, and no burst.
    expect(atOnce).toBeLessThanOrEqual(50 + 5 + (performance.now() - began) / 10);
  });
});

describe('a clock that jumps', () => {
  const bucket = limitKeys(NAME.limit, NAME.group).bucket;
  /** As if Redis's clock had been set back by an hour since: all that was written is that much ahead of it. */
  const setBack = async (...fields: string[]): Promise<void> => {
    for (const field of fields) {
      const at = Number(await store.redis.hget(bucket, field));
      expect(at, field).toBeGreaterThan(0);
      await store.redis.hset(bucket, field, String(at + 3_600_000));
    }
  };

  it('back: the bucket fills from now on, and not in an hour', async () => {
    const config = limit({ requestsPerMinute: 600 });
    await eventually('one may start', async () => (await ask(config)).kind === 'granted');
    await setBack('at');
    const reply = await ask(config);
    expect(reply.kind === 'wait' ? reply.inMs : 0).toBeLessThanOrEqual(200);
    await eventually('the next may start', async () => (await ask(config)).kind === 'granted', 2000);
  });

  it('back: a pause that a 429 asked for does not become an hour longer', async () => {
    const config = limit({ requestsPerMinute: 60_000 });
    const grant = await granted(config);
    await release(store.redis, NAME, config, grant, { ...NOTHING, closeForMs: 60_000 });
    expect((await ask(config)).kind).toBe('closed');
    await setBack('closed', 'at');
    await eventually('it is open', async () => (await ask(config)).kind === 'granted', 2000);
  });

  it('on: a bucket holds no more than its burst', async () => {
    const config = limit({ requestsPerMinute: 60 });
    await eventually('one may start', async () => (await ask(config)).kind === 'granted', 5000);
    await pass(3_600_000);
    expect((await ask(config)).kind).toBe('granted');
    expect((await ask(config)).kind).toBe('wait');
  });
});
