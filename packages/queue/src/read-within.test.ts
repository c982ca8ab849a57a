import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { type BoundedJob, readWithin } from './read-within.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from './testing/stored.ts';
import { countJobs, readIdentity, walkJobs } from './walk.ts';

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

const BOUNDS = { bodyBytes: 1000, answerBytes: 1000, batchBytes: 5000 };

const batchesOf = async (ids: readonly string[], bounds = BOUNDS): Promise<BoundedJob[][]> => {
  const batches: BoundedJob[][] = [];
  for await (const batch of readWithin(store, ids, bounds)) batches.push(batch);
  return batches;
};

it('jobs are read in order, some at a time, without those that are gone', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) ids.push(await submitOne(store, { body: { input: `${i}`.repeat(800) } }));
  const gone = `${ids[0]?.slice(0, -4)}0000`;
  const batches = await batchesOf([...ids, gone, 'no id'], { ...BOUNDS, batchBytes: 2500 });
  expect(batches.length).toBeGreaterThan(1);
  expect(batches.flat().map(({ job }) => job.id)).toEqual(ids);
  expect(batches.flat()[2]?.job.body).toEqual({ input: '2'.repeat(800) });
});

it('a request or an answer that is too big is left out, and the rest of the job is there', async () => {
  const big = await submitOne(store, { body: { input: 'x'.repeat(5000) }, metadata: { a: 'b' } });
  const long = await submitOne(store);
  const { epoch } = await begin(store, long);
  const answer = { ...COMPLETED.answer, output_text: 'y'.repeat(5000) };
  await finishByOutcome(store, queueOf(store), long, epoch, { ...COMPLETED, answer });
  const whole = (await batchesOf([big, long], { bodyBytes: 1e6, answerBytes: 1e6, batchBytes: 1e6 })).flat();
  const cut = (await batchesOf([big, long])).flat();
  expect(whole.map(({ partly }) => partly)).toEqual([false, false]);
  expect(cut.map(({ partly }) => partly)).toEqual([true, true]);
  expect(cut.map(({ answer: read }) => read)).toEqual([null, null]);
  expect(cut[0]?.job).toEqual({ ...whole[0]?.job, body: {} });
  expect(cut[1]?.job).toEqual(whole[1]?.job);
  expect(whole[1]?.answer?.output_text).toHaveLength(5000);
});

it('a walk meets each job of a queue once, newest first', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await submitOne(store));
  await begin(store, ids[2] as string);
  const queue = queueOf(store);
  const met: string[] = [];
  let before: number | null = null;
  do {
    const page = await walkJobs(store, queue, before, 2);
    met.push(...page.ids);
    before = page.next;
  } while (before !== null);
  expect(met).toEqual([...ids].reverse());
  expect(await countJobs(store, queue)).toBe(5);
});

it('data has one identity, and other data another', async () => {
  const one = await readIdentity(store);
  expect(await readIdentity(store)).toBe(one);
  await store.redis.flushall();
  expect(await readIdentity(store)).not.toBe(one);
});
