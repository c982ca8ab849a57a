import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { beginAttempt, finishByOutcome } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { lastFailures, readJob } from './read.ts';
import { expireDeadlines, failPastDeadline, keepRetention, removeJob, removeOldJobs } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { allKeys, begin, COMPLETED, FAILED, queueOf, submitOne } from './testing/stored.ts';

const HOUR_SECONDS = 3600;
const MOST_BYTES = 20_000;
let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url, {
    config: { retention: { seconds: HOUR_SECONDS, bytesPerQueue: MOST_BYTES } },
  });
});
beforeEach(() => store.redis.flushall());
afterEach(async () => {
  // What is there must be listed once and whole, whatever a test did.
  const { keys } = queueOf(store);
  const listed = await store.redis.zrange(keys.finished, '0', '-1');
  for (const id of listed) expect(await store.redis.exists(keys.job(id))).toBe(1);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const KILOBYTE = 'x'.repeat(1000);

async function finished(bytes: string, agoSeconds: number): Promise<string> {
  const queue = queueOf(store);
  const id = await submitOne(store, { body: { input: bytes } });
  await finishByOutcome(store, queue, id, (await begin(store, id)).epoch, COMPLETED);
  const [seconds] = await store.redis.time();
  await store.redis.zadd(queue.keys.finished, (Number(seconds) - agoSeconds) * 1000, id);
  return id;
}

const there = async (ids: readonly string[]): Promise<boolean[]> =>
  Promise.all(ids.map(async (id) => (await readJob(store, id)) !== null));

it('jobs that ended longer ago than they are kept go, the others stay', async () => {
  const ids = [await finished('a', HOUR_SECONDS + 5), await finished('b', HOUR_SECONDS - 60), await submitOne(store)];
  expect(await removeOldJobs(store, queueOf(store))).toBe(1);
  expect(await there(ids)).toEqual([false, true, true]);
});

it('when there are too many bytes the oldest finished jobs go, as few as will do', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 30; n++) ids.push(await finished(KILOBYTE, 100 - n));
  const removed = await removeOldJobs(store, queueOf(store));
  expect(await there(ids)).toEqual(ids.map((_, n) => n >= removed));
  const kept = Number(await store.redis.hget(queueOf(store).keys.counters, 'finished_bytes'));
  expect(kept).toBeLessThanOrEqual(MOST_BYTES);
  expect(kept).toBeGreaterThan(MOST_BYTES - 2 * KILOBYTE.length);
});

it('what waits or runs never goes, however many bytes it takes, nor do finished jobs go for it', async () => {
  const ids = [await finished(KILOBYTE, 100)];
  for (let n = 0; n < 30; n++) ids.push(await submitOne(store, { body: { input: KILOBYTE } }));
  await begin(store, ids[1] as string);
  expect(await removeOldJobs(store, queueOf(store))).toBe(0);
  expect(await there(ids)).toEqual(ids.map(() => true));
});

it('a removed job leaves nothing behind but the totals', async () => {
  const failed = await submitOne(store, { deadline: Date.now() + 60_000 });
  await finishByOutcome(store, queueOf(store), failed, (await begin(store, failed)).epoch, FAILED);
  const ids = [failed, await finished(KILOBYTE, 1)];
  const cancelled = await submitOne(store);
  await cancelJob(store, cancelled);
  for (const id of [...ids, cancelled]) expect(await removeJob(store, queueOf(store), id)).toBe(true);
  const { keys, bull } = queueOf(store);
  const left = (await allKeys(store)).filter(
    (key) => !key.startsWith(bull.toKey('')) && !/:(minute|day):\d+$/.test(key),
  );
  expect(left).toEqual([keys.changes, keys.clock, keys.counters].sort());
  expect((await allKeys(store)).filter((key) => key.includes('resp_'))).toEqual([]);
  expect(await lastFailures(store, 10)).toEqual([]);
});

it('an unfinished job cannot be removed, and one that is gone is no error', async () => {
  const id = await submitOne(store);
  expect(await removeJob(store, queueOf(store), id)).toBe(false);
  await begin(store, id);
  expect(await removeJob(store, queueOf(store), id)).toBe(false);
  expect(await removeJob(store, queueOf(store), `${id.slice(0, -1)}0`)).toBe(false);
  expect((await readJob(store, id))?.job.status).toBe('in_progress');
});

it('a waiting job past its deadline fails as deadline_exceeded, one before it waits on', async () => {
  const past = await submitOne(store, { deadline: 1 });
  const future = await submitOne(store, { deadline: Date.now() + 60_000 });
  expect(await expireDeadlines(store, queueOf(store))).toBe(1);
  expect((await readJob(store, past))?.job).toMatchObject({
    status: 'failed',
    error: { code: 'deadline_exceeded' },
    attempts: [],
  });
  expect((await readJob(store, future))?.job.status).toBe('queued');
  expect(await queueOf(store).bull.getJobCountByTypes('prioritized')).toBe(1);
});

it('many jobs past their deadline fail in one round, not two hundred of them', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 450; n++) ids.push(await submitOne(store, { deadline: 1 }));
  await expireDeadlines(store, queueOf(store));
  expect(await store.redis.zcard(queueOf(store).keys.status('failed'))).toBe(ids.length);
});

it('a running job whose worker is gone fails at its deadline too, and may be on the bill', async () => {
  const id = await submitOne(store, { deadline: Date.now() + 60_000 });
  await begin(store, id);
  await store.redis.hset(queueOf(store).keys.job(id), 'deadline', 1);
  await failPastDeadline(store, queueOf(store), id);
  expect((await readJob(store, id))?.job).toMatchObject({
    status: 'failed',
    attempts: [{ outcome: 'failed', reason: 'deadline_exceeded', possibly_billed: true }],
  });
});

it('a job that is past its deadline does not begin, and is not failed by a clock that is ahead', async () => {
  const id = await submitOne(store, { deadline: 1 });
  expect((await beginAttempt(store, queueOf(store), id, { worker: 'w' })).kind).toBe('expired');
  const waits = await submitOne(store, { deadline: Date.now() + 60_000 });
  await failPastDeadline(store, queueOf(store), waits);
  expect((await readJob(store, waits))?.job.status).toBe('queued');
});

it('the duty does all this by itself', async () => {
  const id = await submitOne(store, { deadline: 1 });
  const duty = keepRetention(store, 'me');
  await eventually('the deadline is noticed', async () => (await readJob(store, id))?.job.status === 'failed');
  await duty.stop();
  expect(await store.redis.exists('mr:lease:retention')).toBe(0);
});
