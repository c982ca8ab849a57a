import { ConflictError, type NewJob } from '@millrace/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { cancelJob } from './cancel.ts';
import { claimIds } from './idempotency.ts';
import { readJob } from './read.ts';
import { removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { submit } from './submit.ts';
import { newJob, openTestStore } from './testing/store.ts';
import { queueOf, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;
let other: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
  other = await openTestStore(redis.url, { kind: 'hasty' });
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await Promise.all([store?.close(), other?.close()]);
  await redis?.dispose();
});

const keyed = (fields: Partial<NewJob> = {}): NewJob =>
  newJob({ idempotency: { caller: 'ann', key: 'order-7' }, ...fields });
const stored = (): Promise<number> => store.redis.zcard(queueOf(store).keys.status('queued'));
const entries = (): Promise<number> => queueOf(store).bull.getJobCountByTypes('prioritized', 'delayed');

it('the same caller, key and body is the same job, with the same time of creation', async () => {
  const [first] = await submit(store, [keyed()]);
  const [second] = await submit(other, [keyed()]);
  expect(second).toEqual(first);
  expect([await stored(), await entries()]).toEqual([1, 1]);
});

it('the order of a body’s fields makes no difference, at any depth', async () => {
  const one = await submitOne(
    store,
    keyed({ body: { input: 'x', text: { format: { type: 'text', a: [1, { b: 2, c: 3 }] } } } }),
  );
  const two = await submitOne(
    store,
    keyed({ body: { text: { format: { a: [1, { c: 3, b: 2 }], type: 'text' } }, input: 'x' } }),
  );
  expect(two).toBe(one);
});

it('another body, queue, priority or model under the key is a conflict, and stores nothing', async () => {
  await submitOne(store, keyed());
  for (const fields of [
    { body: { input: 'other' } },
    { priority: 1 },
    { model: 'm2' },
    { delayMs: 1 },
    { queue: 'extract' },
  ]) {
    const [reply] = await submit(store, [keyed(fields)]);
    expect(reply, JSON.stringify(fields)).toBeInstanceOf(ConflictError);
    expect(reply).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  }
  expect([await stored(), await entries()]).toEqual([1, 1]);
});

it('another caller’s same key is another job; a key that holds the separator is no other caller', async () => {
  const ids = [
    await submitOne(store, keyed()),
    await submitOne(store, keyed({ idempotency: { caller: 'bob', key: 'order-7' } })),
    await submitOne(store, keyed({ idempotency: { caller: 'ann:order', key: '7' } })),
  ];
  expect(new Set(ids).size).toBe(3);
});

it('many submissions at once from two stores are one job', async () => {
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, n) => submitOne(n % 2 === 0 ? store : other, keyed())),
  );
  expect(new Set(replies).size).toBe(1);
  expect([await stored(), await entries()]).toEqual([1, 1]);
});

it('a key whose job was never added, because the process died in between, adds it when it is sent again', async () => {
  const noted = await claimIds(store.redis, [keyed()], [`resp_${queueOf(store).tag}${'0'.repeat(40)}`]);
  expect(await stored()).toBe(0);
  expect(await submitOne(store, keyed())).toBe(noted[0]);
  expect([await stored(), await entries()]).toEqual([1, 1]);
});

it('the same key twice within one call is one job; with another body it is that job and a conflict', async () => {
  const replies = await submit(store, [keyed(), keyed(), keyed({ body: { input: 'other' } }), newJob()]);
  expect(replies[1]).toEqual(replies[0]);
  expect(replies[2]).toBeInstanceOf(ConflictError);
  expect([await stored(), await entries()]).toEqual([2, 2]);
});

it('sent again after its job has ended and BullMQ has forgotten it, nothing is added', async () => {
  const id = await submitOne(store, keyed());
  await cancelJob(store, id);
  expect(await entries()).toBe(0);
  expect(await submitOne(store, keyed())).toBe(id);
  expect([await stored(), await entries()]).toEqual([0, 0]);
});

it('sent again after its job was removed, it is refused: it must not be done, and paid, again', async () => {
  const id = await submitOne(store, keyed());
  await cancelJob(store, id);
  await removeJob(store, queueOf(store), id);
  const [reply] = await submit(store, [keyed()]);
  expect(reply).toMatchObject({ status: 409, code: 'idempotency_job_removed' });
  expect([await stored(), await entries()]).toEqual([0, 0]);
  expect(await readJob(store, id)).toBeNull();
  // What is left of it goes with its key.
  const ttl = await store.redis.pttl(queueOf(store).keys.job(id));
  expect(ttl).toBeGreaterThan(47 * 3_600_000);
  expect(ttl).toBeLessThanOrEqual(48 * 3_600_000);
});

it('a job without a key leaves nothing behind when it is removed', async () => {
  const id = await submitOne(store, newJob());
  await cancelJob(store, id);
  await removeJob(store, queueOf(store), id);
  expect(await store.redis.exists(queueOf(store).keys.job(id))).toBe(0);
});

it('a key is forgotten after two days', async () => {
  await submitOne(store, keyed());
  const [key] = await store.redis.keys('mr:idem:*');
  const ttl = await store.redis.pttl(key as string);
  expect(ttl).toBeGreaterThan(47 * 3_600_000);
  expect(ttl).toBeLessThanOrEqual(48 * 3_600_000);
});
