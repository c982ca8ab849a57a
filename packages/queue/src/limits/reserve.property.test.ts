/**
 * The shared limit under any interleaving: whatever a few processes reserve, settle, abandon and close, calls never start
 * faster than the limit, over any window. The model below keeps only what was granted and when, and adds it up. Redis's
 * clock is real; minutes pass by moving all stored times back.
 */
import type { LimitConfig } from '@millrace/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { limitKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { BURST_SHARE } from './pace-of-limits.ts';
import { type Gauge, type Grant, release, reserve } from './reserve.ts';

const RUNS = 150;
const STEPS = 100;
const MINUTE_MS = 60_000;
const LONG_MS = 600_000;

const NAME = { limit: 'key', group: 'm' };
const KEYS = limitKeys(NAME.limit, NAME.group);
const LIMITS = [600, 60_000] as const;
const IN_FLIGHT = 12;
/** Redis writes times to a microsecond and levels to a millionth; what 100 of them may add up to. */
const ROUNDING = [0.01, 1] as const;

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const ask = fc.record({
  kind: fc.constant('ask' as const),
  asker: fc.integer({ min: 0, max: 3 }),
  priority: fc.constantFrom(0, 5, 9),
  // Some are larger than the burst.
  tokens: fc.oneof(
    { weight: 7, arbitrary: fc.integer({ min: 0, max: 120 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 3000 }) },
  ),
  leaseMs: fc.constantFrom(300, 5000, 90_000),
  /** So many calls, one after the other, as long as they are let. */
  times: fc.constantFrom(1, 1, 1, 3, 20),
});
const left = fc.option(
  fc.record({
    /** Of the limit. Little is left for the most part: that is what matters. */
    share: fc.oneof(fc.double({ min: 0, max: 0.03, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    times: fc.constantFrom(1, 3),
  }),
  { nil: null, freq: 2 },
);
const settle = fc.record({
  kind: fc.constant('release' as const),
  /** Which of the calls that are known: 0 the oldest … 1 the newest; those that ended are settled again. */
  which: fc.double({ min: 0, max: 1, noNaN: true }),
  taken: fc.option(fc.constantFrom(0, 0.5, 1, 1.5, 3), { nil: null }),
  requestsLeft: left,
  tokensLeft: left,
  answered: fc.boolean(),
  closeForMs: fc.oneof(
    { weight: 15, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom(1, 40, 700, 20_000) },
  ),
});
const step = fc.oneof(
  { weight: 5, arbitrary: ask },
  { weight: 2, arbitrary: settle },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(3, 40, 300, 2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(10_000, 45_000) }) },
);
type Asked = Pick<typeof ask extends fc.Arbitrary<infer T> ? T : never, 'asker' | 'priority' | 'tokens' | 'leaseMs'>;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Times are Redis's, moved on by all that has passed. */
interface Granted {
  grant: Grant;
  start: number;
  leaseEnds: number;
  ended: boolean;
  /** Requests and tokens that settlements had given back until it was granted, in all. */
  givenBack: readonly [number, number];
  shift: number;
}
interface World {
  config: LimitConfig;
  /** Most that may come at once. */
  room: readonly [number, number];
  shift: number;
  grants: Granted[];
  givenBack: [number, number];
  opens: number;
  newestHeard: number;
  /** The last close: when it ends, which grants came after it (one before it may start in it), what was given back until then. */
  opened: { at: number; from: number; givenBack: readonly [number, number] } | null;
}

const withHeaders = fc.boolean();
const burstSeconds = fc.constantFrom(0.1, 1, 5);

it('no interleaving lets calls start faster than the limit over any window, nor while it is closed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: STEPS, maxLength: STEPS }),
      withHeaders,
      burstSeconds,
      async (steps, headers, burst) => {
        await store.redis.flushall();
        const world = newWorld(burst);
        for (const one of steps) await take(world, headers ? one : withoutHeaders(one));
        checkEveryWindow(world);
        await checkThatItGoesOn(world);
      },
    ),
    { numRuns: RUNS },
  );
}, 120_000);

function newWorld(burst: number): World {
  const perMs = LIMITS.map((limit) => limit / MINUTE_MS);
  const [requests = 0, tokens = 0] = perMs.map((pace) => pace * burst * 1000 * BURST_SHARE);
  return {
    config: {
      ...{ requestsPerMinute: LIMITS[0], tokensPerMinute: LIMITS[1], inFlight: IN_FLIGHT },
      ...{ burstSeconds: burst, models: [] },
    },
    room: [Math.max(1, requests), tokens],
    ...{ shift: 0, grants: [], givenBack: [0, 0], opens: 0, newestHeard: 0, opened: null },
  };
}

function withoutHeaders(one: Step): Step {
  return one.kind === 'release' ? { ...one, requestsLeft: null, tokensLeft: null } : one;
}

async function take(world: World, one: Step): Promise<void> {
  if (one.kind === 'pass') return pass(world, one.ms);
  if (one.kind === 'ask') {
    for (let n = 0; n < one.times && (await askFor(world, one)) === 'granted'; n++);
    return;
  }
  const { grants } = world;
  const call = grants[Math.floor(one.which * (grants.length - 1))];
  if (call !== undefined) await end(world, call, one);
}

async function askFor(world: World, { asker, priority, tokens, leaseMs }: Asked): Promise<string> {
  const id = `r${world.grants.length}`;
  const reply = await reserve(store.redis, NAME, world.config, {
    ...{ id, tokens, asker: `a${asker}`, priority, leaseMs },
  });
  if (reply.kind !== 'granted') return reply.kind;
  const start = Number(reply.grant.start) + world.shift;
  expect(start, 'nothing starts while it is closed').toBeGreaterThanOrEqual(world.opens);
  const [last, ttl] = await Promise.all([
    store.redis.zrevrange(KEYS.inFlight, 0, 0, 'WITHSCORES'),
    store.redis.pttl(KEYS.inFlight),
  ]);
  const now = await nowOf(world);
  expect(now + ttl, 'a lease outlives no key').toBeGreaterThan(Number(last[1]) + world.shift);
  world.grants.push({
    ...{ grant: reply.grant, start, leaseEnds: start + leaseMs, ended: false },
    ...{ givenBack: [...world.givenBack] as const, shift: world.shift },
  });
  const inFlight = world.grants.filter(({ ended, leaseEnds }) => !ended && leaseEnds > now + 1);
  expect(inFlight.length, 'calls in flight').toBeLessThanOrEqual(IN_FLIGHT);
  return reply.kind;
}

/** Settles a call, perhaps not for the first time, and adds to the model what the buckets have gained by it. */
async function end(world: World, call: Granted, one: Step & { kind: 'release' }): Promise<void> {
  const before = await levels();
  const earliest = await nowOf(world);
  // Its answer came in the time of then, which has been moved back since as all others.
  const grant = { ...call.grant, start: (Number(call.grant.start) - (world.shift - call.shift)).toFixed(3) };
  const taken = one.taken === null ? null : Math.round(one.taken * grant.tokens);
  const gauge = (of: number, told: (Step & { kind: 'release' })['requestsLeft']): Gauge | null =>
    told === null ? null : { limit: of * told.times, remaining: Math.floor(told.share * of * told.times) };
  const requestsLeft = gauge(LIMITS[0], one.requestsLeft);
  const tokensLeft = gauge(LIMITS[1], one.tokensLeft);
  await release(store.redis, NAME, world.config, grant, {
    ...{ tokens: taken, requestsLeft, tokensLeft, answered: one.answered, closeForMs: one.closeForMs },
  });
  const closedBefore = world.opens;
  const opens = one.closeForMs === null ? 0 : earliest + one.closeForMs;
  const closes = opens > world.opens;
  if (closes) {
    world.opens = opens;
    world.opened = { at: opens, from: world.grants.length, givenBack: [...world.givenBack] as const };
  }
  const after = await levels();
  const told = requestsLeft !== null || tokensLeft !== null;
  const overtaken = call.start <= world.newestHeard;
  for (const i of [0, 1] as const) {
    const filled = ((after.at - before.at) * LIMITS[i]) / MINUTE_MS;
    const gained = Math.max(0, after.levels[i] - before.levels[i] - filled);
    const unused = i === 0 || taken === null || call.ended ? 0 : Math.max(0, grant.tokens - taken);
    if (!told || overtaken) expect(gained, 'what comes back').toBeLessThanOrEqual(unused + ROUNDING[i]);
    if (call.start < closedBefore) expect(gained, 'what a close has wiped out').toBeLessThanOrEqual(ROUNDING[i]);
    world.givenBack[i] += gained;
  }
  if (told) world.newestHeard = Math.max(world.newestHeard, call.start);
  call.ended = true;
  if (closes) checkEveryWindow(world);
}

/**
 * For every two starts: all that starts from the one to the other is no more than the limit lets come in that time, and a
 * burst. Of the last call only what fits the burst counts: a larger one starts when the bucket is full, and its debt
 * holds up the next. What settlements give back between the two may be spent again. After a close there is no burst.
 */
function checkEveryWindow({ grants, room, opened }: World): void {
  for (const i of [0, 1] as const) {
    const perMs = LIMITS[i] / MINUTE_MS;
    const wants = ({ grant }: Granted): number => (i === 0 ? 1 : grant.tokens);
    for (const [from, first] of grants.entries()) {
      let sum = 0;
      for (const last of grants.slice(from)) {
        const back = last.givenBack[i] - first.givenBack[i];
        const allowed = room[i] + perMs * (last.start - first.start) + back + ROUNDING[i];
        expect(sum + Math.min(wants(last), room[i]), `of ${i} since ${from}`).toBeLessThanOrEqual(allowed);
        sum += wants(last);
      }
    }
    if (opened === null) continue;
    let sum = 0;
    for (const last of grants.slice(opened.from)) {
      const back = last.givenBack[i] - opened.givenBack[i];
      const allowed = perMs * (last.start - opened.at) + back + ROUNDING[i];
      expect(sum + Math.min(wants(last), room[i]), `of ${i} since it opened`).toBeLessThanOrEqual(allowed);
      sum += wants(last);
    }
  }
}

/** Nothing that happened may keep the limit closed or full for ever. */
async function checkThatItGoesOn(world: World): Promise<void> {
  await pass(world, LONG_MS);
  const call = { asker: 9, priority: 9, tokens: 1000, leaseMs: 5000 } as const;
  expect(await askFor(world, call)).toBe('granted');
}

async function nowOf(world: World): Promise<number> {
  const [seconds, micros] = await store.redis.time();
  return Number(seconds) * 1000 + Number(micros) / 1000 + world.shift;
}

/** What is left by the bucket's last look, and when that was; of a close, when it ends. */
async function levels(): Promise<{ levels: [number, number]; at: number }> {
  const [requests, tokens, at] = await store.redis.hmget(KEYS.bucket, 'requests', 'tokens', 'at');
  return { levels: [Number(requests ?? 0), Number(tokens ?? 0)], at: Number(at ?? 0) };
}

/** Moves every stored time back. */
const BACK = `
local ms = tonumber(ARGV[1])
for _, name in ipairs({ 'at', 'closed', 'heard', 'corrected', 'others_until', 'since', 'told_at' }) do
  local time = redis.call('HGET', KEYS[1], name)
  if time then redis.call('HSET', KEYS[1], name, string.format('%.3f', tonumber(time) - ms)) end
end
for _, name in ipairs({ 'seen_requests', 'seen_tokens' }) do
  local off, time = string.match(redis.call('HGET', KEYS[1], name) or '', '^(%S+) (%S+)$')
  if off then redis.call('HSET', KEYS[1], name, off .. ' ' .. string.format('%.3f', tonumber(time) - ms)) end
end
for i = 2, 4, 2 do
  for _, member in ipairs(redis.call('ZRANGE', KEYS[i], 0, -1)) do redis.call('ZINCRBY', KEYS[i], -ms, member) end
end
local asked = redis.call('HGETALL', KEYS[3])
for i = 1, #asked, 2 do
  local time, rest = string.match(asked[i + 1], '^(%S+)(.*)$')
  redis.call('HSET', KEYS[3], asked[i], string.format('%.0f', tonumber(time) - ms) .. rest)
end`;

async function pass(world: World, ms: number): Promise<void> {
  await store.redis.eval(BACK, 4, KEYS.bucket, KEYS.asking, KEYS.asked, KEYS.inFlight, ms);
  world.shift += ms;
}
