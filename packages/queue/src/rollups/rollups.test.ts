import type { Outcome, Usage } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome, settleAttempt } from '../attempt.ts';
import { cancelJob } from '../cancel.ts';
import { failPastDeadline } from '../retention.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, RETRY, submitOne } from '../testing/stored.ts';
import { writeTurn } from '../turns.ts';
import { DAY_FIELDS, DAYS_KEPT_MS, MINUTE_FIELDS, MINUTES_KEPT_MS, MODEL_BYTES } from './bounds.ts';
import { type MinuteFigures, readMinutes } from './read-minutes.ts';
import { readDays, readSpentTotals, type SpentFigures } from './read-spent.ts';

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

const usageOf = (input: number, cached: number, output: number): Usage => ({
  ...{ input_tokens: input, input_tokens_details: { cached_tokens: cached }, total_tokens: input + output },
  ...{ output_tokens: output, output_tokens_details: { reasoning_tokens: 0 } },
});
const USAGE = usageOf(100, 40, 10);
const COUNTED = { calls: 1, input: 100, cached: 40, output: 10, tools: {}, unread: 0 };

/** A store that keeps nothing of what was read before the server was emptied. */
const fresh = (): Store => ({ ...store });

/** All of the last minutes as one: a test may see one minute end and the next begin. */
async function minutes(): Promise<Omit<MinuteFigures, 'minute'>> {
  const [seconds] = await store.redis.time();
  const now = Math.floor(Number(seconds) / 60);
  const read = await readMinutes(fresh(), [queueOf(store)], now - 1, now);
  const [before, after] = read.get('generate') as [MinuteFigures, MinuteFigures];
  const sum = (a: object, b: object): never => {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    const at = (of: object, key: string): never => (of as Record<string, never>)[key] as never;
    return Object.fromEntries(
      names.map((key) => {
        const [one = 0, other = 0] = [at(a, key), at(b, key)];
        return [key, typeof (one || other) === 'object' ? sum(one || {}, other || {}) : one + other];
      }),
    ) as never;
  };
  const { minute: _, ...figures } = sum(before, after) as MinuteFigures;
  return figures;
}

/** Of the day and since the beginning: they must agree. */
async function spent(): Promise<SpentFigures[]> {
  const [seconds] = await store.redis.time();
  const today = Math.floor(Number(seconds) / 86_400);
  const totals = (await readSpentTotals(store)).get('generate') ?? [];
  const days = (await readDays(fresh(), [queueOf(store)], today - 1, today)).get('generate') ?? [];
  const sorted = (list: SpentFigures[]) =>
    list.toSorted((a, b) => `${a.cameTo} ${a.model}`.localeCompare(`${b.cameTo} ${b.model}`));
  expect(sorted(days.flatMap((day) => day.spent))).toEqual(sorted(totals));
  return sorted(totals);
}

const finish = async (id: string, outcome: Parameters<typeof finishByOutcome>[4]) =>
  finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, outcome);

it('each way of ending is counted once in its minute, and its call by whether it came to something', async () => {
  const incomplete = { ...COMPLETED, kind: 'incomplete', reason: 'max_output_tokens', usage: USAGE } as const;
  await finish(await submitOne(store), { ...COMPLETED, usage: USAGE });
  await finish(await submitOne(store), incomplete);
  await finish(await submitOne(store), { ...FAILED, usage: USAGE });
  await finish(await submitOne(store), { kind: 'cancelled', possiblyBilled: true });
  await cancelJob(store, await submitOne(store));
  const late = await submitOne(store, { deadline: Date.now() + 60_000 });
  await store.redis.hset(queueOf(store).keys.job(late), 'deadline', 1);
  await failPastDeadline(store, queueOf(store), late);

  const { jobMs, ...figures } = await minutes();
  expect(jobMs).toBeGreaterThanOrEqual(0);
  expect(figures).toEqual({
    submitted: 6,
    finished: { completed: 1, incomplete: 1, failed: 2, cancelled: 2 },
    attempts: { 'completed:none': 1, 'incomplete:none': 1, 'failed:bad_request': 1, 'cancelled:none': 1 },
    tokens: { 'test-model': { input: 300, output: 30, cached: 120 } },
  });
  const account = { key: '', model: 'test-model' };
  expect(await spent()).toEqual([
    { cameTo: 'failed', ...account, ...COUNTED, unread: 1 },
    { cameTo: 'ok', ...account, calls: 2, input: 200, cached: 80, output: 20, tools: {}, unread: 0 },
  ]);
});

it('a call whose attempt failed is counted as failed, though its job comes to an answer', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  await settleAttempt(store, queueOf(store), id, epoch, { ...RETRY, usage: usageOf(7, 0, 3) }, 0);
  await finish(id, { ...COMPLETED, usage: USAGE });
  expect(await spent()).toMatchObject([
    { cameTo: 'failed', calls: 1, input: 7, output: 3, unread: 1 },
    { cameTo: 'ok', calls: 1, input: 100, output: 10, unread: 0 },
  ]);
});

it('a write that is sent again because its reply was lost counts once: an end, a retry, a turn', async () => {
  const queue = queueOf(store);
  const id = await submitOne(store);
  const first = await begin(store, id);
  const retry: Extract<Outcome, { kind: 'retry' }> = { ...RETRY, usage: USAGE };
  for (let n = 0; n < 2; n++) await settleAttempt(store, queue, id, first.epoch, retry, 0);
  const { epoch } = await begin(store, id);
  const call = { type: 'web_search_call' };
  const turn = { number: 1, at: 1, upstream_id: 'resp_1', usage: USAGE, output: [call], tools: {} };
  for (let n = 0; n < 2; n++) expect(await writeTurn(store, queue, id, epoch, turn)).toBe('written');
  for (let n = 0; n < 2; n++) {
    expect(await finishByOutcome(store, queue, id, epoch, { ...COMPLETED, usage: USAGE })).toBe('written');
  }
  expect(await spent()).toMatchObject([
    { cameTo: 'failed', ...COUNTED, unread: 1 },
    { cameTo: 'ok', calls: 2, input: 200, cached: 80, output: 20, tools: { web_search_call: 1 } },
  ]);
  expect((await minutes()).attempts).toEqual({ 'retry:upstream_error': 1, 'completed:none': 1 });
});

it('a job that got the answer of another is shared: it used nothing, and what it would have is told', async () => {
  const leader = await submitOne(store);
  await finish(leader, { ...COMPLETED, usage: USAGE });
  const follower = await submitOne(store);
  const { epoch } = await begin(store, follower);
  const shared = { ...COMPLETED, usage: usageOf(0, 0, 0) };
  await finishByOutcome(store, queueOf(store), follower, epoch, shared, { answeredBy: leader });
  expect(await spent()).toMatchObject([
    { cameTo: 'ok', ...COUNTED },
    { cameTo: 'shared', ...COUNTED },
  ]);
  expect((await minutes()).tokens).toEqual({ 'test-model': { input: 100, output: 10, cached: 40 } });
});

it('a call that was lost with its worker is told as one whose use nobody knows', async () => {
  const id = await submitOne(store);
  await begin(store, id);
  await begin(store, id);
  expect(await spent()).toMatchObject([{ cameTo: 'failed', calls: 0, input: 0, unread: 1 }]);
});

it('rollups are kept for as long as is said, and the totals for ever', async () => {
  await finish(await submitOne(store), { ...COMPLETED, usage: USAGE });
  const { keys } = queueOf(store);
  const kept = async (pattern: string): Promise<number[]> =>
    Promise.all((await store.redis.keys(`{mr:generate}:${pattern}`)).map((key) => store.redis.pttl(key)));
  for (const [pattern, ms] of [['minute:*', MINUTES_KEPT_MS] as const, ['day:*', DAYS_KEPT_MS] as const]) {
    const left = await kept(pattern);
    expect(left.length).toBeGreaterThan(0);
    for (const one of left) {
      expect(one).toBeLessThanOrEqual(ms);
      expect(one).toBeGreaterThan(ms - 60_000);
    }
  }
  expect(await store.redis.pttl(keys.spent)).toBe(-1);
});

it('made-up models are told apart up to a bound, and beyond it counted together, none twice and none left out', async () => {
  const { keys } = queueOf(store);
  const [seconds] = await store.redis.time();
  const [minute, day] = [keys.minute(Math.floor(Number(seconds) / 60)), keys.day(Math.floor(Number(seconds) / 86_400))];
  const before = Array.from({ length: DAY_FIELDS - 6 }, (_, n) => [`ok:in::m${n}`, 1]).flat();
  for (const hash of [day, keys.spent]) await store.redis.hset(hash, ...before);
  const models = [...Array.from({ length: MINUTE_FIELDS }, (_, n) => `made-up-${n}`), 'x'.repeat(MODEL_BYTES + 1)];
  for (const model of models) await finish(await submitOne(store, { model }), { ...COMPLETED, usage: USAGE });

  for (const hash of [day, keys.spent]) expect(await store.redis.hlen(hash)).toBeLessThan(DAY_FIELDS + 10);
  expect(await store.redis.hlen(minute)).toBeLessThan(MINUTE_FIELDS + 10);
  const totals = (await readSpentTotals(store)).get('generate') ?? [];
  const apart = totals.filter(({ model }) => model.startsWith('made-up'));
  const other = totals.find(({ model }) => model === 'other');
  expect(apart.length).toBeGreaterThan(0);
  for (const one of apart) expect(one).toMatchObject(COUNTED);
  expect(other?.calls).toBe(models.length - apart.length);
  expect(other?.input).toBe(100 * (other?.calls ?? 0));
  const { tokens } = await minutes();
  expect(Object.values(tokens).reduce((sum, { input }) => sum + input, 0)).toBe(100 * models.length);
  expect(Object.values(tokens).reduce((sum, { output }) => sum + output, 0)).toBe(10 * models.length);
});

it('a model may be called anything, and is read back as it was named', async () => {
  const names = ['a:b', '__proto__', 'with space', 'ünïcode', 'line\nbreak'];
  for (const model of names) await finish(await submitOne(store, { model }), { ...COMPLETED, usage: USAGE });
  await finish(await submitOne(store, { model: null }), { ...COMPLETED, usage: USAGE });
  expect((await spent()).map(({ model }) => model).sort()).toEqual(['', ...names].sort());
});

it('what is over is read once, and the present minute each time', async () => {
  const queue = queueOf(store);
  const [seconds] = await store.redis.time();
  const now = Math.floor(Number(seconds) / 60);
  const calls = async (): Promise<number> => {
    const info = await store.redis.info('commandstats');
    return Number(/cmdstat_hgetall:calls=(\d+)/.exec(info)?.[1] ?? 0);
  };
  const read = async (): Promise<number | undefined> =>
    (await readMinutes(store, [queue], now - 90, now)).get('generate')?.reduce((sum, one) => sum + one.submitted, 0);
  await read();
  const before = await calls();
  await submitOne(store);
  expect(await read()).toBe(1);
  await submitOne(store);
  // Where a minute has just ended, it is read once more.
  expect((await calls()) - before).toBeLessThanOrEqual(2);
});
