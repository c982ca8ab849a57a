import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { cancelJob, onCancelled } from './cancel.ts';
import { closeRedis, connectRedis } from './connect.ts';
import { readJob } from './read.ts';
import { retryJob } from './retry-job.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, submitOne } from './testing/stored.ts';

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

it('a waiting or delayed job is cancelled and no worker will see it', async () => {
  for (const delayMs of [0, 60_000]) {
    const id = await submitOne(store, { delayMs });
    expect((await cancelJob(store, id)).job).toMatchObject({ status: 'cancelled', delayed_until: null, attempts: [] });
    expect(await queueOf(store).bull.getJob(id)).toBeUndefined();
  }
});

it('cancelling twice is no error, and tells the job’s worker again: the first time may have been lost', async () => {
  const subscriber = connectRedis(redis.url, 'patient', () => undefined);
  const told: string[] = [];
  await onCancelled(subscriber, (id) => told.push(id));
  const id = await submitOne(store);
  await begin(store, id);
  await cancelJob(store, id);
  expect((await cancelJob(store, id)).job.status).toBe('cancelled');
  await eventually('it was told twice', () => told.length === 2);
  expect(told).toEqual([id, id]);
  await closeRedis(subscriber);
});

it('a job that ended otherwise stays as it is, and one that is not there cannot be cancelled', async () => {
  const id = await submitOne(store);
  await finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, COMPLETED);
  expect((await cancelJob(store, id)).job.status).toBe('completed');
  for (const unknown of [`${id.slice(0, -2)}00`, `resp_${'0'.repeat(48)}`, '', '../etc', `${id}\n`]) {
    await expect(cancelJob(store, unknown)).rejects.toMatchObject({ status: 404, code: 'not_found' });
  }
});

it('retrying makes a new job of the same, or of edited, work, and leaves the old one as it is, but for a link', async () => {
  const id = await submitOne(store, {
    ...{ body: { input: 'again' }, metadata: { a: 'b' }, priority: 2, deadline: Date.now() + 60_000 },
    idempotency: { caller: 'a', key: 'k' },
  });
  await expect(retryJob(store, id)).rejects.toMatchObject({ status: 409, code: 'job_not_finished' });
  await finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, FAILED);
  const before = await readJob(store, id);
  const again = await retryJob(store, id);
  const twice = await retryJob(store, id, null, { instructions: 'Be brief.' });
  expect(new Set([id, again.id, twice.id]).size).toBe(3);
  expect(await readJob(store, id)).toEqual({ ...before, job: { ...before?.job, retried_as: twice.id } });
  expect((await readJob(store, twice.id))?.job).toMatchObject({
    retry_of: id,
    body: { input: 'again', instructions: 'Be brief.' },
  });
  expect((await readJob(store, again.id))?.job).toMatchObject({
    ...{ status: 'queued', retry_of: id, body: { input: 'again' }, metadata: { a: 'b' }, priority: 2 },
    ...{ model: 'test-model', deadline: null, attempts: [] },
  });
});
