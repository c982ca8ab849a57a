/** How limits are told of, on a real Redis, after the real scripts. */
import type { LimitConfig } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { readBreakers } from '../breaker/read-breaker.ts';
import { limitKeys, queueKeys } from '../keys.ts';
import { countQueues, setPaused } from '../queues.ts';
import { readJob } from '../read.ts';
import { runScript } from '../scripts.ts';
import type { Store } from '../store.ts';
import { submit } from '../submit.ts';
import { newJob, openTestStore, testConfig } from '../testing/store.ts';
import { readWorkers } from '../workers.ts';
import { closeLimit, resumeLimit } from './closing.ts';
import { queueWaiting, readFirstDue } from './queue-waiting.ts';
import { type GroupStatus, type LimitStatus, readLimits } from './read-limits.ts';
import { type Grant, type ReserveReply, release, reserve, type Settlement } from './reserve.ts';
import { readWaiting } from './waiting-for.ts';
import { watchLimits } from './watch-limits.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, {
    config: {
      limits: { key: { requestsPerMinute: 6000, tokensPerMinute: 60_000, inFlight: 3, models: ['m', 'm-2026'] } },
      queues: { generate: { model: 'm' } },
    },
  });
});
beforeEach(async () => {
  await store.redis.flushall();
  await store.redis.sadd(limitKeys('key', '').groups, 'm');
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const NAME = { limit: 'key', group: 'm' };
const config = (): LimitConfig => store.config.limits.key as LimitConfig;
let asked = 0;
const ask = (fields: Partial<Parameters<typeof reserve>[3]> = {}): Promise<ReserveReply> =>
  reserve(store.redis, NAME, config(), {
    ...{ id: `r${++asked}`, tokens: 0, asker: 'a', priority: 5, leaseMs: 60_000 },
    ...fields,
  });
const granted = async (fields: Parameters<typeof ask>[0] = {}): Promise<Grant> => {
  const reply = await ask(fields);
  if (reply.kind !== 'granted') throw new Error(JSON.stringify(reply));
  return reply.grant;
};
const ANSWERED: Settlement = { tokens: null, requestsLeft: null, tokensLeft: null, answered: true, closeForMs: null };
const settle = (grant: Grant, fields: Partial<Settlement> = {}): Promise<void> =>
  release(store.redis, NAME, config(), grant, { ...ANSWERED, ...fields });
const limit = async (): Promise<LimitStatus> => (await readLimits(store)).limits[0] as LimitStatus;
const group = async (): Promise<GroupStatus> => (await limit()).groups[0] as GroupStatus;
const bucket = limitKeys('key', 'm').bucket;

describe('what is told of a limit', () => {
  it('one that nobody has used yet is configured, open, and has no models', async () => {
    expect(await limit()).toEqual({ name: 'key', config: config(), inFlight: 0, closed: null, groups: [] });
  });

  it('configured and learned stand beside each other, and the smaller counts', async () => {
    await settle(await granted(), {
      tokens: 90,
      requestsLeft: { limit: 3000, remaining: 40 },
      tokensLeft: { limit: 90_000, remaining: 700 },
    });
    expect(await group()).toMatchObject({
      group: 'm',
      told: 'headers',
      requests: { configured: 6000, learned: 3000, limit: 3000, fullest: 40, remaining: 40, total: 1 },
      tokens: { configured: 60_000, learned: 90_000, limit: 60_000, fullest: 700, remaining: 700, total: 90 },
    });
  });

  it('what is available is what the next reservation finds: a debt is below zero, and a burst the most', async () => {
    await granted({ tokens: 0 });
    await store.redis.hset(bucket, 'tokens', '-500');
    const { tokens, requests } = await group();
    expect(tokens.available).toBeLessThan(-400);
    await store.redis.hset(bucket, 'at', '1');
    expect((await group()).tokens.available).toBe(tokens.burst);
    expect(tokens.burst).toBe(500);
    expect(requests.burst).toBe(50);
  });

  it('calls in flight are counted while their reservations hold', async () => {
    const first = await granted();
    await granted();
    await granted({ leaseMs: -1000 });
    expect((await limit()).inFlight).toBe(2);
    await settle(first);
    expect((await limit()).inFlight).toBe(1);
  });

  it('a limit whose key is refused is closed as a whole, with the reason, since when and the next probe', async () => {
    await closeLimit(store.redis, 'key', 'insufficient_quota');
    const { closed } = await limit();
    expect(closed?.why).toBe('insufficient_quota');
    expect((closed?.nextProbeAt ?? 0) - (closed?.since ?? 0)).toBe(60_000);
    await resumeLimit(store.redis, 'key', ['m']);
    expect((await limit()).closed).toBeNull();
  });

  it('a 429 closes the model until its time', async () => {
    await settle(await granted(), { tokens: 0, closeForMs: 90_000 });
    const { now, limits } = await readLimits(store);
    const until = limits[0]?.groups[0]?.closedUntil ?? 0;
    expect(until - now).toBeGreaterThan(80_000);
    expect(until - now).toBeLessThanOrEqual(90_001);
  });
});

describe('who waits', () => {
  it('processes are counted, and told what binds the first of them and until when, as it was told itself', async () => {
    await granted();
    await store.redis.hset(bucket, 'tokens', '-1000');
    const reply = await ask({ tokens: 400, asker: 'a' });
    if (reply.kind !== 'wait') throw new Error(reply.kind);
    await ask({ tokens: 1, asker: 'b' });
    const { now, limits } = await readLimits(store);
    const waiting = limits[0]?.groups[0]?.waiting;
    expect(waiting).toMatchObject({ processes: 2, scarce: 'tokens' });
    const inMs = (waiting?.until ?? 0) - now;
    expect(inMs).toBeGreaterThan(reply.inMs - 500);
    expect(inMs).toBeLessThanOrEqual(reply.inMs + 1);
  });

  it('with all calls in flight that may be, the first waits for one to end', async () => {
    for (let n = 0; n < 3; n++) await granted();
    await ask();
    expect((await group()).waiting).toEqual({ processes: 1, scarce: 'in_flight', until: null });
  });

  it('who did not come when it was told to does not count', async () => {
    await granted();
    await ask({ tokens: 50_000, asker: 'dead' });
    await store.redis.hset(limitKeys('key', 'm').asked, 'dead', '1 50000');
    expect((await group()).waiting).toBeNull();
  });
});

describe('what is watched', () => {
  /** As if the round had been so long ago. */
  const age = async (ms: number): Promise<void> => {
    const { samples } = limitKeys('key', '');
    const aged = (await store.redis.lrange(samples, 0, -1)).map((text) => {
      const sample = JSON.parse(text) as { at: number };
      return JSON.stringify({ ...sample, at: sample.at - ms });
    });
    await store.redis.del(samples);
    await store.redis.rpush(samples, ...aged);
  };

  /** The totals as the settling of calls leaves them. */
  const use = (requests: number, tokens: number): Promise<number> =>
    store.redis.hset(bucket, { used_requests: requests, used_tokens: tokens });

  it('what was used in the last minute is told, and what was before it is not', async () => {
    await use(1, 70);
    expect((await group()).tokens).toMatchObject({ total: 70, used: null, usedSince: null });
    await watchLimits(store);
    await age(61_000);
    await use(2, 90);
    await watchLimits(store);
    await use(3, 210);
    const { requests, tokens } = await group();
    expect([requests.used, tokens.used]).toEqual([2, 140]);
    expect([requests.total, tokens.total]).toEqual([3, 210]);
    expect(Date.now() - (tokens.usedSince ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  it('a model that is new, or was forgotten meanwhile, has used all that it counts', async () => {
    await watchLimits(store);
    await use(4, 40);
    expect((await group()).tokens.used).toBe(40);
    await watchLimits(store);
    await store.redis.del(limitKeys('key', '').samples);
    await watchLimits(store);
    await use(1, 10);
    expect((await group()).tokens.used).toBe(10);
  });

  it('no more than a minute and a bit of rounds is kept', async () => {
    for (let n = 0; n < 70; n++) await watchLimits(store);
    expect(await store.redis.llen(limitKeys('key', '').samples)).toBe(61);
  });

  /** As an answer tells it, now. */
  const tell = async (remaining: number, fields: Record<string, number> = {}): Promise<void> => {
    const [seconds] = await store.redis.time();
    const told = { fullest_tokens: 1000, told_tokens: remaining, told_at: Number(seconds) * 1000, ...fields };
    await store.redis.hset(bucket, told);
  };

  it('low is under 2 % of the fullest, is said once by all processes, and is over above 10 %', async () => {
    const said: unknown[] = [];
    const log = { ...store.log, warn: (about: unknown) => said.push(about), info: () => undefined };
    const watching = { ...store, log: log as unknown as Store['log'] };
    const round = (): Promise<unknown> => Promise.all([watchLimits(watching), watchLimits(watching)]);
    await tell(20);
    await round();
    expect(said).toEqual([]);
    await tell(19);
    await round();
    await round();
    expect(said).toEqual([{ limit: 'key', model: 'm', reason: 'tokens', count: 19 }]);
    expect((await group()).tokens.lowSince).not.toBeNull();
    await tell(100);
    await round();
    await tell(5);
    await round();
    expect(said).toHaveLength(1);
    await tell(101);
    await round();
    expect((await group()).tokens.lowSince).toBeNull();
    await tell(5);
    await round();
    expect(said).toHaveLength(2);
  });

  it('what was left five minutes ago is no longer told, and the episode is over', async () => {
    await tell(1);
    await watchLimits(store);
    expect((await group()).tokens).toMatchObject({ remaining: 1 });
    const [seconds] = await store.redis.time();
    await tell(1, { told_at: (Number(seconds) - 301) * 1000 });
    await watchLimits(store);
    expect((await group()).tokens).toMatchObject({ remaining: null, lowSince: null });
  });

  it('models that were not used for a week go where there are many', async () => {
    const { groups } = limitKeys('key', '');
    await granted();
    await store.redis.sadd(groups, ...Array.from({ length: 600 }, (_, n) => `gone-${n}`));
    await watchLimits(store);
    expect(await store.redis.smembers(groups)).toEqual(['m']);
  });
});

describe('what a job waits for', () => {
  const waitingFor = async (fields: Parameters<typeof newJob>[0] = {}) => {
    const [reply] = await submit(store, [newJob({ model: 'm-2026', ...fields })]);
    if (reply === undefined || reply instanceof Error) throw reply;
    const found = await readJob(store, reply.id);
    if (found === null) throw new Error('no job');
    return (await readWaiting(store, [found.job]))(found.job);
  };

  const beat = async (queue = 'generate'): Promise<void> => {
    const { workers, beats } = queueKeys(queue);
    await runScript(store.redis, 'beat', [workers, beats], ['w1']);
  };

  it('its turn: with how many jobs before it, and how many run at once; or its call, once a worker has it', async () => {
    await beat();
    expect(await waitingFor()).toEqual({
      reason: 'line',
      until: null,
      message: 'its turn: it is next; the workers run 200 of its queue at once',
    });
    expect((await waitingFor())?.message).toMatch(/^its turn: 1 job is before it;/);
    const [reply] = await submit(store, [newJob({ priority: 0 })]);
    if (reply === undefined || reply instanceof Error) throw reply;
    const found = await readJob(store, reply.id);
    if (found === null) throw new Error('no job');
    const bull = store.queues.get('generate')?.bull;
    await store.redis.zrem(bull?.toKey('prioritized') ?? '', reply.id);
    await store.redis.set(`${bull?.toKey(reply.id)}:lock`, 'a token', 'PX', 30_000);
    const told = (await readWaiting(store, [found.job]))(found.job);
    expect(told).toMatchObject({ reason: 'line', message: 'its call to start: a worker has taken it' });
  });

  it('a worker, where none is alive, also where its limit is closed; and the pause before that', async () => {
    const none = { reason: 'no_worker', until: null, message: 'no worker is alive' };
    expect(await waitingFor()).toEqual(none);
    await closeLimit(store.redis, 'key', 'unauthorized');
    expect(await waitingFor()).toEqual(none);
    await setPaused(store, 'generate', true);
    expect(await waitingFor()).toMatchObject({ reason: 'queue_paused' });
    await setPaused(store, 'generate', false);
  });

  it('a queue as a whole says what binds; when its first delay ends; and nothing where nothing waits', async () => {
    const whole = async () => {
      const [counts] = await countQueues(store);
      if (counts === undefined) throw new Error('no queue');
      const [{ now, limits }, breakers, workers] = await Promise.all([
        readLimits(store),
        readBreakers(store),
        readWorkers(store),
      ]);
      const paused = new Set(counts.paused ? [counts.name] : []);
      const due = await readFirstDue(store, [counts]);
      return queueWaiting(store.config, counts, { now, limits, breakers, workers, paused }, due);
    };
    expect(await whole()).toBeNull();
    await waitingFor({ delayMs: 60_000 });
    expect(await whole()).toMatchObject({ reason: 'no_worker' });
    await beat();
    const delayed = await whole();
    expect(delayed?.reason).toBe('delay');
    const [seconds] = await store.redis.time();
    expect((delayed?.until ?? 0) - Number(seconds) * 1000).toBeGreaterThan(30_000);
    expect((delayed?.until ?? 0) - Number(seconds) * 1000).toBeLessThan(62_000);
    await waitingFor();
    expect(await whole()).toMatchObject({ reason: 'line', message: 'the workers to take its jobs' });
    await granted();
    await store.redis.hset(bucket, 'tokens', '-3000');
    await ask({ tokens: 200 });
    expect((await whole())?.message).toMatch(/^tokens of m, [23]\.\d s$/);
    await setPaused(store, 'generate', true);
    expect(await whole()).toMatchObject({ reason: 'queue_paused' });
    await setPaused(store, 'generate', false);
  });

  it('its delay; a paused queue; a limit that is closed; a pause; room for its model', async () => {
    await beat();
    expect(await waitingFor({ delayMs: 60_000 })).toMatchObject({ reason: 'delay', message: 'its delay' });

    await granted();
    await store.redis.hset(bucket, 'tokens', '-3000');
    await ask({ tokens: 200 });
    const inLine = await waitingFor();
    expect(inLine?.reason).toBe('limit');
    expect(inLine?.message).toMatch(/^tokens of m, [23]\.\d s$/);
    expect(await waitingFor({ model: 'another' })).toMatchObject({ reason: 'line' });

    await settle({ id: 'r0', tokens: 0, start: '1', left: ['', ''], probe: false }, { closeForMs: 90_000 });
    expect(await waitingFor()).toMatchObject({
      reason: 'limit_closed',
      message: expect.stringMatching(/^the upstream asked for a pause: m, (8\d\.\d|90\.0) s$/),
    });

    await closeLimit(store.redis, 'key', 'unauthorized');
    expect(await waitingFor()).toMatchObject({
      reason: 'limit_closed',
      message: "the limit 'key' is closed: the upstream refuses the key",
    });
    await setPaused(store, 'generate', true);
    expect(await waitingFor()).toEqual({
      reason: 'queue_paused',
      until: null,
      message: "the queue 'generate' is paused",
    });
    await setPaused(store, 'generate', false);
  });
});

it('a configuration without limits of its own has one that is learned', async () => {
  const { limits } = await readLimits({ redis: store.redis, config: testConfig() });
  expect(limits.map(({ groups }) => groups)).toEqual([[]]);
});
