import { Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { bullPrefix } from './keys.ts';
import { countQueues, setPaused } from './queues.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;
let workers: Worker[] = [];
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  workers = [];
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

/** A BullMQ worker that takes one job after the other and says which. */
function takeInTurn(): string[] {
  const taken: string[] = [];
  const worker = new Worker('generate', async (job) => void taken.push(job.id ?? ''), {
    connection: store.redis,
    prefix: bullPrefix('generate'),
    drainDelay: 1,
  });
  worker.on('error', () => undefined);
  workers.push(worker);
  return taken;
}

it('jobs are taken by priority, 0 first, and within one in the order they came', async () => {
  const priorities = [5, 9, 0, 5, 1, 0, 9, 5];
  const jobs: { id: string; priority: number; place: number }[] = [];
  for (const [place, priority] of priorities.entries()) {
    jobs.push({ id: await submitOne(store, { priority }), priority, place });
  }
  const taken = takeInTurn();
  await eventually('all are taken', () => taken.length === jobs.length);
  const expected = jobs.sort((a, b) => a.priority - b.priority || a.place - b.place).map(({ id }) => id);
  expect(taken).toEqual(expected);
});

it('a delayed job waits for its time, and is then taken by its priority', async () => {
  const later = await submitOne(store, { delayMs: 400, priority: 0 });
  const now = await submitOne(store, { priority: 9 });
  expect(await countQueues(store)).toMatchObject([{ name: 'generate', waiting: 1, delayed: 1 }, { name: 'extract' }]);
  const taken = takeInTurn();
  await eventually('both are taken', () => taken.length === 2);
  expect(taken).toEqual([now, later]);
  const { timestamp, processedOn } = (await queueOf(store).bull.getJob(later)) ?? {};
  expect((processedOn ?? 0) - (timestamp ?? 0)).toBeGreaterThanOrEqual(400);
});

it('a paused queue takes jobs in and gives none out, until it is resumed', async () => {
  await setPaused(store, 'generate', true);
  const taken = takeInTurn();
  const other = takeInTurn();
  const ids = [await submitOne(store), await submitOne(store)];
  const delayed = await submitOne(store, { delayMs: 1 });
  expect((await countQueues(store))[0]).toMatchObject({ paused: true, waiting: expect.any(Number) });
  const [worker] = workers;
  await worker?.waitUntilReady();
  await eventually('the workers have looked', async () =>
    String(await store.redis.client('LIST')).includes('cmd=bzpopmin'),
  );
  expect([...taken, ...other]).toEqual([]);
  await setPaused(store, 'generate', false);
  await eventually('all are taken', () => taken.length + other.length === 3);
  expect([...taken, ...other].sort()).toEqual([...ids, delayed].sort());
  expect((await countQueues(store))[0]).toMatchObject({ paused: false });
});

it('pausing a queue that does not exist names those that do', async () => {
  await expect(setPaused(store, 'nope', true)).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining('generate, extract'),
  });
});

it('every job is counted in exactly one place', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(await submitOne(store, n === 5 ? { delayMs: 60_000 } : {}));
  const [completed = '', failed = '', cancelled = '', running = ''] = ids;
  await finishByOutcome(store, queueOf(store), completed, (await begin(store, completed)).epoch, COMPLETED);
  await finishByOutcome(store, queueOf(store), failed, (await begin(store, failed)).epoch, FAILED);
  await cancelJob(store, cancelled);
  await begin(store, running);
  expect((await countQueues(store))[0]).toEqual({
    ...{ name: 'generate', paused: false, waiting: 1, delayed: 1, active: 1 },
    ...{ completed: 1, failed: 1, cancelled: 1, incomplete: 0 },
  });
});
