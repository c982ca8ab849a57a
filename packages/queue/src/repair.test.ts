import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { settleAttempt } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { repairQueue } from './repair.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, queueOf, RETRY, submitOne } from './testing/stored.ts';
import { jobPriority } from './ticket.ts';

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

const stateOf = async (id: string): Promise<string> => queueOf(store).bull.getJobState(id);
const repair = async (): Promise<void> => {
  await repairQueue(store, queueOf(store), 'in_progress');
  await repairQueue(store, queueOf(store), 'queued');
};

/** BullMQ ends its entry, as it does when the function of a worker throws. */
async function endEntry(id: string): Promise<void> {
  const { bull } = queueOf(store);
  await store.redis.zrem(bull.toKey('prioritized'), id);
  await store.redis.zadd(bull.toKey('failed'), 1, id);
}

it('a waiting job whose entry is gone, or was ended, gets one again, in its own priority', async () => {
  const [gone, ended] = [await submitOne(store, { priority: 0 }), await submitOne(store)];
  await queueOf(store).bull.remove(gone);
  await endEntry(ended);
  await repair();
  expect([await stateOf(gone), await stateOf(ended)]).toEqual(['prioritized', 'prioritized']);
  expect(jobPriority((await queueOf(store).bull.getJob(gone))?.priority ?? 0)).toBe(0);
  expect((await queueOf(store).bull.getJob(gone))?.data).toMatchObject({ type: 'generate', model: 'test-model' });
});

it('a job in backoff gets its entry back with what is left of its delay', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  await settleAttempt(store, queueOf(store), id, epoch, RETRY, 60_000);
  await queueOf(store).bull.remove(id);
  await repair();
  expect(await stateOf(id)).toBe('delayed');
  const delay = (await queueOf(store).bull.getJob(id))?.delay ?? 0;
  expect(delay).toBeGreaterThan(50_000);
  expect(delay).toBeLessThanOrEqual(61_000);
});

it('a running job is left alone while its call may still be answered, and put back after that', async () => {
  const id = await submitOne(store);
  await begin(store, id);
  await queueOf(store).bull.remove(id);
  await repair();
  expect(await stateOf(id)).toBe('unknown');
  await store.redis.hset(queueOf(store).keys.job(id), 'started_at', Date.now() - 3_600_000);
  await repair();
  expect(await stateOf(id)).toBe('prioritized');
});

it('a running job whose entry BullMQ has ended is put back at once: its record missed an end that nobody can tell again', async () => {
  const id = await submitOne(store);
  await begin(store, id);
  await endEntry(id);
  await repair();
  expect(await stateOf(id)).toBe('prioritized');
});

it('what is in order, or has ended, is left as it is', async () => {
  const waits = await submitOne(store);
  const ended = await submitOne(store);
  await cancelJob(store, ended);
  const before = await store.redis.hgetall(queueOf(store).bull.toKey(waits));
  await repair();
  expect(await store.redis.hgetall(queueOf(store).bull.toKey(waits))).toEqual(before);
  expect(await stateOf(ended)).toBe('unknown');
});

it('a long line is gone through whole, step by step', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 450; n++) ids.push(await submitOne(store));
  const lost = [ids[0], ids[199], ids[200], ids[449]] as string[];
  for (const id of lost) await queueOf(store).bull.remove(id);
  expect(await repairQueue(store, queueOf(store), 'queued')).toBe(0);
  expect(await Promise.all(lost.map(stateOf))).toEqual(lost.map(() => 'prioritized'));
});
