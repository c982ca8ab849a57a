import type { JobStatus } from '@millrace/core';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { listJobs } from './list.ts';
import { removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from './testing/stored.ts';

const QUEUES = ['generate', 'extract', 'third'];
let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url, { config: { queues: { generate: {}, extract: {}, third: {} } } });
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

interface Made {
  id: string;
  queue: string;
  status: JobStatus;
  stamp: number;
}

/** Jobs at chosen stamps: the same one may fall to several queues, as it may with microseconds. */
async function make(specs: readonly { queue: string; status: JobStatus; gap: number }[]): Promise<Made[]> {
  const made: Made[] = [];
  let stamp = 1_800_000_000_000_000;
  const taken = new Set<string>();
  for (const { queue: name, status, gap } of specs) {
    stamp += gap;
    while (taken.has(`${name} ${stamp}`)) stamp++;
    taken.add(`${name} ${stamp}`);
    const queue = queueOf(store, name);
    const id = await submitOne(store, { queue: name });
    await store.redis.hset(queue.keys.job(id), 'stamp', stamp);
    await store.redis.zadd(queue.keys.status('queued'), stamp, id);
    if (status === 'cancelled') await cancelJob(store, id);
    if (status === 'in_progress') await begin(store, id, queue);
    if (status === 'completed')
      await finishByOutcome(store, queue, id, (await begin(store, id, queue)).epoch, COMPLETED);
    made.push({ id, queue: name, status, stamp });
  }
  return made;
}

async function pageThrough(query: { queues?: string[]; statuses?: JobStatus[]; limit: number }): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  for (;;) {
    const page = await listJobs(store, { ...query, ...(after === undefined ? {} : { after }) });
    pages.push(page.jobs.map(({ id }) => id));
    expect(page.jobs.length).toBe(page.hasMore ? query.limit : page.jobs.length);
    if (!page.hasMore) return pages;
    after = page.jobs.at(-1)?.id;
  }
}

const statuses: JobStatus[] = ['queued', 'in_progress', 'completed', 'cancelled'];
const spec = fc.record({
  queue: fc.constantFrom(...QUEUES),
  status: fc.constantFrom(...statuses),
  gap: fc.constantFrom(0, 0, 1, 1000),
});

it('pages of any size over any queues and statuses give every job once, newest first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spec, { maxLength: 25, size: 'max' }),
      fc.integer({ min: 1, max: 7 }),
      fc.subarray(QUEUES, { minLength: 1 }),
      fc.subarray(statuses, { minLength: 1 }),
      async (specs, limit, queues, wanted) => {
        await store.redis.flushall();
        const made = await make(specs);
        const expected = made.filter(({ queue, status }) => queues.includes(queue) && wanted.includes(status));
        const pages = await pageThrough({ queues, statuses: wanted, limit });
        const listed = pages.flat();
        expect([...listed].sort()).toEqual(expected.map(({ id }) => id).sort());
        const stampOf = new Map(made.map(({ id, stamp }) => [id, stamp]));
        const stamps = listed.map((id) => stampOf.get(id) as number);
        expect(stamps).toEqual([...stamps].sort((a, b) => b - a));
        expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

it('a job that begins and ends between two pages is neither missed nor repeated', async () => {
  const made = await make(Array.from({ length: 6 }, () => ({ queue: 'generate', status: 'queued', gap: 1 }) as const));
  const first = await listJobs(store, { limit: 3 });
  for (const { id } of made) {
    await finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, COMPLETED);
  }
  const second = await listJobs(store, { limit: 3, after: first.jobs.at(-1)?.id as string });
  expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(made.map(({ id }) => id).reverse());
  expect(second.hasMore).toBe(false);
});

it('a job to begin after that is gone is said so, instead of beginning anew', async () => {
  const [made] = await make([{ queue: 'generate', status: 'cancelled', gap: 1 }]);
  await removeJob(store, queueOf(store), made?.id as string);
  for (const after of [made?.id as string, 'nonsense', `resp_${'0'.repeat(48)}`]) {
    await expect(listJobs(store, { limit: 5, after })).rejects.toMatchObject({ status: 400, param: 'after' });
  }
});

it('a listing holds no answers, and an empty store has an empty page', async () => {
  expect(await listJobs(store, { limit: 5 })).toEqual({ jobs: [], hasMore: false });
});
