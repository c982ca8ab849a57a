/** The line of a process before a limit, on a real Redis whose clock it goes by. */
import type { LimitConfig } from '@millrace/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../../../../test/harness/crashable-redis.ts';
import { eventually } from '../../../../test/harness/eventually.ts';
import { limitKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { type Line, openLine, type Place, UNUSED } from './line.ts';
import { BURST_SHARE, HORIZON_MS } from './pace-of-limits.ts';
import type { Grant } from './reserve.ts';

let redis: CrashableRedis;
/** Two processes. */
let stores: Store[];
let opened: Line[] = [];
beforeAll(async () => {
  redis = await crashableRedis();
  stores = await Promise.all([openTestStore(redis.url), openTestStore(redis.url)]);
});
beforeEach(() => stores[0]!.redis.flushall());
afterEach(() => {
  for (const line of opened) line.close();
  opened = [];
});
afterAll(async () => {
  await Promise.all((stores ?? []).map((store) => store.close()));
  await redis?.dispose();
});

const NAME = { limit: 'key', group: 'm' };
const KEYS = limitKeys(NAME.limit, NAME.group);
const limit = (fields: Partial<LimitConfig>): LimitConfig => ({ burstSeconds: 1, models: [], ...fields });
function open(config: LimitConfig, process: 0 | 1 = 0): Line {
  const line = openLine(stores[process]!.redis, NAME, config, `process-${process}`, () => undefined);
  opened.push(line);
  return line;
}

let made = 0;
/** A call that waits; `place` is null until it is settled. */
interface Call {
  place: Place | null;
  settled: Promise<Place>;
  abort: AbortController;
}
const granted: string[] = [];
beforeEach(() => granted.splice(0));
function call(line: Line, name = '', fields: { priority?: number; tokens?: number } = {}): Call {
  const abort = new AbortController();
  const settled = line.acquire({
    ...{ id: `call-${++made}`, tokens: 0, priority: 5, leaseMs: 60_000, signal: abort.signal },
    ...fields,
  });
  const one: Call = { place: null, settled, abort };
  void settled.then((place) => {
    one.place = place;
    if (place.kind === 'granted') granted.push(name);
  });
  return one;
}
async function grantOf(one: Call): Promise<Grant> {
  const place = await one.settled;
  if (place.kind !== 'granted' || place.grant === null) throw new Error(place.kind);
  return place.grant;
}
const settle = (line: Line, grant: Grant, closeForMs: number | null = null): Promise<void> =>
  line.release(grant, { ...UNUSED, tokens: null, answered: true, closeForMs });
const asking = (): Promise<number> => stores[0]!.redis.zcard(KEYS.asking);
const inFlight = (): Promise<number> => stores[0]!.redis.zcard(KEYS.inFlight);
/** The bucket is far from having room: who asks now waits. */
const owe = (ms: number): Promise<unknown> =>
  stores[0]!.redis.hset(KEYS.bucket, { requests: -ms / 100, at: Date.now() });
const SLOW = limit({ requestsPerMinute: 600 });

describe('the order', () => {
  it('is of priority, then of arrival', async () => {
    const line = open(SLOW);
    const calls = [
      call(line, 'first of 5'),
      call(line, 'first of 9', { priority: 9 }),
      call(line, 'second of 5'),
      call(line, 'of 0', { priority: 0 }),
      call(line, 'second of 9', { priority: 9 }),
    ];
    await Promise.all(calls.map(({ settled }) => settled));
    expect(granted).toEqual(['of 0', 'first of 5', 'second of 5', 'first of 9', 'second of 9']);
  });

  it('a more urgent call overtakes one that waits already, and does not wait as long as that one was told to', async () => {
    const line = open(SLOW);
    await owe(30_000);
    call(line, 'batch', { priority: 9 });
    await eventually('the first waits', () => line.waiting().wait !== null);
    expect((line.waiting().wait?.until ?? 0) - performance.now()).toBeGreaterThan(25_000);
    await owe(-100);
    await call(line, 'urgent', { priority: 0 }).settled;
    expect(granted[0]).toBe('urgent');
  });

  it('a more urgent call that comes while Redis is asked for another does not wait for that one’s time', async () => {
    const line = open(limit({ tokensPerMinute: 60_000, burstSeconds: 10 }));
    call(line, 'batch', { priority: 9, tokens: 950 });
    const urgent = call(line, 'urgent', { priority: 0, tokens: 1 });
    const began = performance.now();
    await urgent.settled;
    // The other is told 950 ms.
    expect(performance.now() - began).toBeLessThan(700);
    expect(granted).toEqual(['urgent']);
  });

  it('among processes, the more urgent goes first too, when calls in flight are what is scarce', async () => {
    const config = limit({ inFlight: 1, requestsPerMinute: 600_000 });
    const [busy, idle] = [open(config, 0), open(config, 1)];
    let holder = await grantOf(call(busy));
    const batch = Array.from({ length: 5 }, () => call(busy, 'batch', { priority: 9 }));
    const urgent = call(idle, 'urgent', { priority: 0 });
    await eventually('both stand in the line', async () => (await asking()) === 2);
    await settle(busy, holder);
    holder = await grantOf(urgent);
    expect(granted).toEqual(['', 'urgent']);
    await settle(idle, holder);
    for (const one of batch) await settle(busy, await grantOf(one));
  });

  it('a call that needs more than the limit is told so, and holds nobody up', async () => {
    const line = open(limit({ tokensPerMinute: 600_000 }));
    const [large, small] = [call(line, 'large', { tokens: 600_001 }), call(line, 'small', { tokens: 1 })];
    expect(await large.settled).toEqual({ kind: 'never', tokensPerMinute: 600_000 });
    expect(await small.settled).toMatchObject({ kind: 'granted' });
  });
});

describe('an abort', () => {
  it('while it waits frees its place, and the next goes on', async () => {
    const line = open(limit({ tokensPerMinute: 60_000 }));
    await grantOf(call(line));
    const large = call(line, 'large', { tokens: 50_000 });
    const small = call(line, 'small', { tokens: 1 });
    await eventually('the first waits', () => line.waiting().wait !== null);
    large.abort.abort();
    expect(await large.settled).toEqual({ kind: 'aborted' });
    expect(await small.settled).toMatchObject({ kind: 'granted' });
    expect(line.waiting()).toEqual({ count: 0, wait: null });
  });

  it('while its start is near, or while Redis is asked, gives back what was reserved', async () => {
    const line = open(limit({ requestsPerMinute: (60_000 / HORIZON_MS) * 1.2 }));
    const early = call(line);
    early.abort.abort();
    expect(await early.settled).toEqual({ kind: 'aborted' });
    await eventually('its place is free', async () => (await inFlight()) === 0);
    await grantOf(call(line));
    const near = call(line);
    await eventually('it is reserved', async () => (await inFlight()) === 2);
    near.abort.abort();
    const place = await near.settled;
    // It may have begun just before it was called off.
    if (place.kind === 'granted') await line.release(place.grant, UNUSED);
    await eventually('its place is free', async () => (await inFlight()) === 1);
  });

  it('before it came never takes a place', async () => {
    const line = open(SLOW);
    const signal = AbortSignal.abort();
    expect(await line.acquire({ id: 'x', tokens: 0, priority: 5, leaseMs: 1000, signal })).toEqual({ kind: 'aborted' });
    expect(await asking()).toBe(0);
  });
});

describe('what holds calls up', () => {
  it('a limit that is closed for longer than is waited for settles all who wait, with the time and the reason', async () => {
    const line = open(limit({ requestsPerMinute: 6000 }));
    const first = await grantOf(call(line));
    await owe(30_000);
    const calls = [call(line), call(line, '', { priority: 9 })];
    await eventually('they wait', () => line.waiting().wait !== null);
    await settle(line, first, 90_000);
    for (const one of calls) {
      const place = await one.settled;
      expect(place).toMatchObject({ kind: 'closed', why: 'rate_limited' });
      // A millisecond more for what is kept in whole ones.
      expect(place.kind === 'closed' && place.inMs > 85_000 && place.inMs <= 90_001).toBe(true);
    }
    expect(line.waiting().count).toBe(0);
  });

  it('a short close is waited for, and nothing starts before it ends', async () => {
    const line = open(limit({ requestsPerMinute: 6000 }));
    const first = await grantOf(call(line));
    await settle(line, first, 300);
    const closed = Number(await stores[0]!.redis.hget(KEYS.bucket, 'closed'));
    const next = await grantOf(call(line));
    expect(Number(next.start)).toBeGreaterThanOrEqual(closed);
  });

  it('when all calls that may be are in flight, the next goes on as soon as one of this process has ended', async () => {
    const line = open(limit({ inFlight: 1, requestsPerMinute: 600_000 }));
    let held = await grantOf(call(line));
    const began = performance.now();
    for (let n = 0; n < 20; n++) {
      const next = call(line);
      await eventually('it waits', () => line.waiting().count === 1);
      await settle(line, held);
      held = await grantOf(next);
    }
    // Each would have waited a tenth of a second for its next look.
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('what another process gives back is seen within a second, not when the wait was to end', async () => {
    const config = limit({ tokensPerMinute: 60_000 });
    const [one, other] = [open(config, 0), open(config, 1)];
    const large = await grantOf(call(one, '', { tokens: 50_000 }));
    const waits = call(other, '', { tokens: 400 });
    await eventually('it waits', () => (other.waiting().wait?.until ?? 0) - performance.now() > 30_000);
    await one.release(large, { ...UNUSED, tokens: 10, answered: true });
    expect(await waits.settled).toMatchObject({ kind: 'granted' });
  });
});

it('two processes share the pace: together no more than the limit over any stretch of time, and no less', async () => {
  const config = limit({ requestsPerMinute: 600 });
  const lines = [open(config, 0), open(config, 1)];
  const calls = lines.flatMap((line) => Array.from({ length: 12 }, () => call(line)));
  const grants = await Promise.all(calls.map(grantOf));
  const starts = grants.map(({ start }) => Number(start)).sort((a, b) => a - b);
  const room = (600 / 60) * BURST_SHARE;
  for (const [from, first] of starts.entries()) {
    for (const [to, last] of starts.entries()) {
      if (to > from) expect(to - from + 1).toBeLessThanOrEqual(room + (last - first) / 100 + 0.01);
    }
  }
  const took = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
  // 23 gaps of 100 ms; who comes late finds that the bucket has filled meanwhile.
  expect(took).toBeGreaterThan(2300 - room * 100);
  expect(took).toBeLessThan(3500);
});

describe('a Redis that is away', () => {
  it('for a moment: those who wait go on afterwards, and who is called off meanwhile does not wait for it', async () => {
    const line = open(limit({ requestsPerMinute: 6000 }));
    await grantOf(call(line));
    await redis.stop();
    const [waits, calledOff] = [call(line), call(line)];
    calledOff.abort.abort();
    expect(await calledOff.settled).toEqual({ kind: 'aborted' });
    await redis.start();
    expect(await waits.settled).toMatchObject({ kind: 'granted' });
  });

  it('a connection that is lost again and again loses no waiter', async () => {
    const line = open(limit({ requestsPerMinute: 1200 }));
    const calls = Array.from({ length: 20 }, () => call(line));
    for (let n = 1; n <= 3; n++) {
      await eventually('some were granted', () => granted.length >= 4 * n);
      stores[0]!.redis.disconnect(true);
    }
    for (const one of calls) expect(await one.settled).toMatchObject({ kind: 'granted' });
  });
});

describe('close', () => {
  it('all who wait are called off at once, whoever comes later too, and no reservation stays', async () => {
    const line = open(limit({ requestsPerMinute: 6000 }));
    const held = await grantOf(call(line));
    await owe(30_000);
    const calls = [call(line), call(line)];
    await eventually('they wait', () => line.waiting().wait !== null);
    line.close();
    for (const one of calls) expect(await one.settled).toEqual({ kind: 'aborted' });
    expect(await call(line).settled).toEqual({ kind: 'aborted' });
    expect(line.waiting()).toEqual({ count: 0, wait: null });
    await settle(line, held);
    expect(await inFlight()).toBe(0);
  });

  it('while Redis is asked: what it grants is given back', async () => {
    const line = open(limit({ requestsPerMinute: 6000 }));
    const one = call(line);
    line.close();
    expect(await one.settled).toEqual({ kind: 'aborted' });
    // Replies come in order: the reservation is made when this one is here.
    await stores[0]!.redis.ping();
    await eventually('its place is free', async () => (await inFlight()) === 0);
  });
});

describe('an upstream that tells no limit', () => {
  it('is given as many calls as it bears: the others wait, and each has its place when one has ended', async () => {
    const line = open(limit({}));
    const end = (place: Place, bore: boolean): Promise<void> =>
      line.release(place.kind === 'granted' ? place.grant : null, {
        ...{ ...UNUSED, tokens: null, answered: true, bore, tookMs: 10 },
      });
    // The first answer tells that there is nothing to be told.
    await end(await call(line).settled, true);
    for (let i = 0; i < 3; i++) await end(await call(line).settled, true);
    // With twenty in flight it is overloaded: fourteen is what it bears.
    const many = Array.from({ length: 20 }, () => call(line));
    for (const one of many) await end(await one.settled, false);
    const calls = Array.from({ length: 60 }, () => call(line));
    await eventually('some have a place', () => calls.some(({ place }) => place !== null));
    expect(calls.filter(({ place }) => place !== null).length).toBeLessThanOrEqual(14);
    for (const one of calls) await end(await one.settled, true);
    expect(line.waiting().count).toBe(0);
    expect(await inFlight()).toBe(0);
  });
});
