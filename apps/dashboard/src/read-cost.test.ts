import type { Usage } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finishByOutcome } from '../../../packages/queue/src/attempt.ts';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { dayOf, readCost, spendOfDay } from './read-cost.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  const prices = { mine: { input: 10, output: 0 } };
  store = await openTestStore(redis.url, { config: { queues: { generate: {}, extract: {} }, prices } });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

/** A million in, 0.4 of it cached; 0.1 out. */
const MILLION: Usage = {
  ...{ input_tokens: 1_000_000, input_tokens_details: { cached_tokens: 400_000 }, total_tokens: 1_100_000 },
  ...{ output_tokens: 100_000, output_tokens_details: { reasoning_tokens: 0 } },
};

const DAY_MS = 86_400_000;

it('dollars are told by day, queue, model and key; failed, cached and shared apart; without a price they are unknown', async () => {
  const run = async (fields: object, outcome: object, name = 'generate', more = {}): Promise<string> => {
    const id = await submitOne(store, { queue: name, ...fields });
    const queue = queueOf(store, name);
    const { epoch } = await begin(store, id, queue);
    await finishByOutcome(store, queue, id, epoch, { ...COMPLETED, usage: MILLION, ...outcome } as never, more);
    return id;
  };
  const before = dayOf(Date.now());
  const leader = await run({ model: 'gpt-5', key: 'ann' }, {});
  await run({ model: 'gpt-5', key: 'bob' }, { ...FAILED, usage: MILLION });
  await run({ model: 'gpt-5', key: 'bob' }, { usage: null }, 'generate', { answeredBy: leader });
  await run({ model: 'mine', key: 'ann' }, {}, 'extract');
  await run({ model: 'nobody-knows' }, {}, 'extract');
  // Of yesterday: as the scripts write it.
  await store.redis.hset(queueOf(store).keys.day(before - 1), 'ok:calls:ann:o3', 1, 'ok:out:ann:o3', 1_000_000);

  const cost = await readCost(store, 7);
  // gpt-5: 0.6 M at $1.25, 0.4 M at $0.125, 0.1 M at $10. mine: a million at $10. o3: a million out at $8.
  expect(cost.total).toEqual({
    ...{ usd: 21.6, failedUsd: 1.8, savedByCachedUsd: 0.9, savedBySharedUsd: 1.8, atLeast: true },
    ...{ calls: 5, failedCalls: 1, sharedCalls: 1, input: 4_000_000, cached: 1_600_000, output: 1_400_000 },
    ...{ unknownTokens: 1_100_000, unreadCalls: 0 },
  });
  const usd = (rows: { name: string; usd: number | null }[]): unknown => rows.map((row) => [row.name, row.usd]);
  expect(usd(cost.byModel)).toEqual([
    ['mine', 10],
    ['o3', 8],
    ['gpt-5', 3.6],
    ['nobody-knows', null],
  ]);
  expect(cost.byModel.map(({ price }) => price?.from)).toEqual(['configuration', 'table', 'table', undefined]);
  expect(cost.byModel[3]).toMatchObject({ input: 1_000_000, output: 100_000, price: null, atLeast: true });
  expect(usd(cost.byQueue)).toEqual([
    ['generate', 11.6],
    ['extract', 10],
  ]);
  expect(usd(cost.byKey)).toEqual([
    ['ann', 19.8],
    ['bob', 1.8],
    ['', null],
  ]);
  expect(cost.byDay).toHaveLength(7);
  const yesterday = new Date((before - 1) * DAY_MS).toISOString().slice(0, 10);
  expect(cost.byDay.find(({ name }) => name === yesterday)?.usd).toBe(8);
  expect(cost.byDay.reduce((sum, day) => sum + (day.usd ?? 0), 0)).toBeCloseTo(21.6);

  expect(await spendOfDay({ ...store }, before - 1)).toEqual({
    usd: 8,
    unknownTokens: 0,
    failedUsd: 0,
    unreadCalls: 0,
  });
});

it('nothing spent is no dollars, and calls whose use nobody knows are a cost that is not known', async () => {
  await store.redis.flushall();
  const empty = await readCost({ ...store }, 1);
  expect(empty.total).toMatchObject({ usd: 0, atLeast: false, savedBySharedUsd: 0 });
  const id = await submitOne(store, { model: 'gpt-5' });
  await begin(store, id);
  await begin(store, id);
  expect((await readCost({ ...store }, 2)).total).toMatchObject({ usd: null, atLeast: true, unreadCalls: 1 });
});
